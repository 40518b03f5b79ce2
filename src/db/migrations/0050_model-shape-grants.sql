GRANT SELECT (name, memory_mb) ON lowrank.gpu_devices TO lowrank_web;
