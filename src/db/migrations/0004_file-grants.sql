-- Rows whose files are gone are collected by the scheduler; a job that names one keeps it (its foreign key restricts).
GRANT DELETE ON lowrank.datasets, lowrank.base_models TO lowrank_scheduler;
