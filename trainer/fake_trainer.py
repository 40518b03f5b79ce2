"""A stand-in that speaks PROTOCOL.md without torch, for tests of everything around a trainer.

What it does is chosen by `behave.json` beside config.json, else by trigger words (`fake:nan`, `fake:steps=40`),
else by the environment: behave (FAKE_BEHAVE), steps (FAKE_STEPS), step_seconds (FAKE_STEP_SECONDS),
save_seconds (FAKE_SAVE_SECONDS), flood_mb (FAKE_FLOOD_MB), memory_mb (FAKE_MEMORY_MB),
clock_seconds (FAKE_CLOCK_SECONDS), by which its wall clock is off.
`--hello` says what it can do. `--verify --base DIR --adapter DIR` stands in for lora_trainer.verify.
"""

from __future__ import annotations

import argparse
import errno
import hashlib
import json
import math
import os
import random
import shutil
import signal
import struct
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

BEHAVIOURS = (
    "ok",
    "exit1",  # a traceback and exit 1, no error line
    "segv",
    "killself",
    "hang",  # stops stepping; dies of SIGTERM
    "ignore_term",
    "fork_escape",  # leaves a setsid grandchild behind and goes on
    "nan",
    "flood",  # flood_mb of logs
    "flood_events",  # 20,000 steps without a pause
    "garbage",  # lines in events.jsonl that no reader may take
    "oom_gpu",  # the framework's words and an error line
    "oom_gpu_text",  # the framework's words alone, exit 1
    "oom_host",  # takes memory until the system ends it, at most memory_mb
    "slow_save",
    "disk_full",
    "no_done",  # exit 0 without the last line
    "lying",  # an artifact line whose sum is wrong
    "bad_data",
)
EXIT_CODES = {"bad_config": 2, "data": 3, "out_of_memory": 5, "nan_loss": 6, "disk_full": 7, "interrupted": 143}
CUDA_TEXT = (
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of "
    "23.65 GiB of which 1.02 GiB is free."
)
NAME = "lowrank-fake 1"
HELLO = {
    "protocols": [1],
    "trainer": NAME,
    "trains": [
        {
            "model_kind": "causal-lm",
            "methods": ["lora", "dora"],
            "strategies": ["none", "ddp", "fsdp"],
            "devices_max": 8,
        }
    ],
}
REQUIRED = (
    "protocol",
    "job_id",
    "attempt",
    "training_params",
    "base_model",
    "output_path",
    "checkpoint_interval",
    "probe",
)


class Failure(Exception):
    """A run that ends with an error line of this code."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


class Events:
    """Appends numbered lines to events.jsonl."""

    def __init__(self, path: Path) -> None:
        self.clock_off = timedelta()
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self.seq = 0

    def send(self, kind: str, /, **fields: object) -> None:
        self.seq += 1
        now = (datetime.now(UTC) + self.clock_off).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.raw(json.dumps({"seq": self.seq, "ts": now, "type": kind, **fields}, allow_nan=False).encode() + b"\n")

    def raw(self, data: bytes) -> None:
        while data:
            data = data[os.write(self.file, data) :]


def settings(config: dict, config_path: Path) -> dict:
    """Merges the three sources of behaviour; the nearest to the job wins."""
    chosen: dict = {"behave": "ok", "steps": None, "step_seconds": 0.01, "save_seconds": 5.0}
    chosen |= {"flood_mb": 200, "memory_mb": 1024, "clock_seconds": 0.0}
    for name in chosen:
        if (value := os.environ.get(f"FAKE_{name.upper()}")) is not None:
            chosen[name] = value
    for word in config.get("trigger_words", []):
        if word.startswith("fake:"):
            name, _, value = word[5:].partition("=")
            chosen.update({name: value} if value else {"behave": name})
    beside = config_path.parent / "behave.json"
    if beside.is_file():
        chosen.update(json.loads(beside.read_text()))
    if chosen["behave"] not in BEHAVIOURS:
        raise Failure("bad_config", f"Unknown behaviour {chosen['behave']!r}.", f"One of {', '.join(BEHAVIOURS)}.")
    for name in ("step_seconds", "save_seconds", "clock_seconds"):
        chosen[name] = float(chosen[name])
    for name in ("flood_mb", "memory_mb"):
        chosen[name] = int(chosen[name])
    params = config["training_params"]
    steps = chosen["steps"] or (20_000 if chosen["behave"] == "flood_events" else params["max_steps"] or 20)
    chosen["steps"] = int(steps)
    return chosen


def loss_at(seed: int, step: int) -> float:
    """A falling curve with noise: the same for the same seed and step, whatever came before."""
    return round(0.5 + 2.5 * math.exp(-step / 30) + random.Random(seed * 1_000_003 + step).uniform(0, 0.05), 6)


def write_durably(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def adapter_bytes(rank: int, seed: int, step: int) -> bytes:
    """A real safetensors file: one LoRA pair of a 64-wide layer, its content decided by seed and step."""
    noise = random.Random(f"{seed}/{step}")
    name = "base_model.model.model.layers.0.self_attn.q_proj.lora_{}.weight"
    header: dict = {"__metadata__": {"format": "pt"}}
    data = b""
    for letter, shape in (("A", [rank, 64]), ("B", [64, rank])):
        tensor = struct.pack(f"<{rank * 64}f", *(noise.uniform(-1, 1) for _ in range(rank * 64)))
        header[name.format(letter)] = {
            "dtype": "F32",
            "shape": shape,
            "data_offsets": [len(data), len(data) + len(tensor)],
        }
        data += tensor
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    return struct.pack("<Q", len(head)) + head + data


def write_adapter(folder: Path, config: dict, step: int) -> None:
    params = config["training_params"]
    write_durably(
        folder / "adapter_config.json",
        json.dumps(
            {
                "peft_type": "LORA",
                "task_type": "CAUSAL_LM",
                "base_model_name_or_path": config["base_model"]["id"],
                "r": params["lora_rank"],
                "lora_alpha": params["lora_alpha"],
                "target_modules": ["q_proj"],
            },
            indent=2,
        ).encode(),
    )
    write_durably(folder / "adapter_model.safetensors", adapter_bytes(params["lora_rank"], params["seed"], step))


class Run:
    """One attempt from config.json to its exit code."""

    def __init__(self, config: dict, chosen: dict, events: Events) -> None:
        self.config, self.chosen, self.events = config, chosen, events
        self.behave: str = chosen["behave"]
        self.output = Path(config["output_path"])
        self.steps: int = chosen["steps"]
        self.stopping = False
        self.started = time.monotonic()
        signal.signal(signal.SIGTERM, signal.SIG_IGN if self.behave == "ignore_term" else self.stop)

    def stop(self, *_: object) -> None:
        self.stopping = True

    def first_step(self) -> int:
        """The step to go on from: 0, or that of the checkpoint named by resume_from."""
        folder = self.config.get("resume_from")
        if folder is None:
            return 0
        if not (Path(folder) / "complete.json").is_file():
            raise Failure(
                "bad_config", "resume_from is no complete checkpoint.", "Name a folder that has complete.json."
            )
        return int(json.loads((Path(folder) / "trainer_state.json").read_text())["step"])

    def checkpoint(self, step: int) -> None:
        root = self.output / "checkpoints"
        staged, final = root / f".step-{step:08d}", root / f"step-{step:08d}"
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(parents=True)
        write_adapter(staged, self.config, step)
        write_durably(staged / "trainer_state.json", json.dumps({"step": step}).encode())
        write_durably(staged / "complete.json", json.dumps({"step": step, "job_id": self.config["job_id"]}).encode())
        if final.exists():
            shutil.rmtree(final)
        staged.rename(final)
        size = sum(file.stat().st_size for file in final.iterdir())
        self.events.send("checkpoint", step=step, path=f"checkpoints/{final.name}", bytes=size)
        for old in sorted(root.glob("step-*"))[: -self.config.get("checkpoints_kept", 2)]:
            shutil.rmtree(old)

    def publish(self, step: int) -> None:
        self.events.send("stage", stage="exporting")
        staged, final = self.output / ".adapter", self.output / "adapter"
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir()
        write_adapter(staged, self.config, step)
        write_durably(staged / "README.md", f"# Adapter of {self.config['base_model']['id']}\n".encode())
        if self.behave == "slow_save":
            time.sleep(self.chosen["save_seconds"])
        staged.rename(final)
        passport = {
            "job_id": self.config["job_id"],
            "seed": self.config["training_params"]["seed"],
            "config": self.config,
        }
        write_durably(self.output / "passport.json", json.dumps(passport, indent=2).encode())
        for path in [*sorted(final.iterdir()), self.output / "passport.json"]:
            data = path.read_bytes()
            digest = "0" * 64 if self.behave == "lying" else hashlib.sha256(data).hexdigest()
            kind = "passport" if path.name == "passport.json" else "adapter"
            relative = path.relative_to(self.output).as_posix()
            self.events.send("artifact", kind=kind, path=relative, sha256=digest, bytes=len(data))

    def misbehave(self, step: int) -> None:
        """What the chosen behaviour does at this step; most strike at the third, so that there is a past."""
        if step != 3:
            return
        if self.behave == "exit1":
            raise RuntimeError("the stand-in was told to fail")
        if self.behave in ("segv", "killself"):
            sys.stderr.flush()
            os.kill(os.getpid(), signal.SIGSEGV if self.behave == "segv" else signal.SIGKILL)
        if self.behave == "hang":
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            while True:
                signal.pause()
        if self.behave == "fork_escape" and os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                print(f"escaped pid {os.getpid()}", flush=True)
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                time.sleep(3600)
            os._exit(0)
        if self.behave == "flood":
            line = b"x" * 1023 + b"\n"
            for _ in range(self.chosen["flood_mb"]):
                sys.stdout.buffer.write(line * 1024)
        if self.behave == "garbage":
            self.garbage()
        if self.behave in ("oom_gpu", "oom_gpu_text"):
            print(CUDA_TEXT, file=sys.stderr, flush=True)
            if self.behave == "oom_gpu_text":
                sys.exit(1)
            raise Failure("out_of_memory", "The GPU's memory is full.", "Halve batch_size and double grad_accum.")
        if self.behave == "oom_host":
            hoard = [b"x" * (1 << 20) for _ in range(self.chosen["memory_mb"])]
            raise RuntimeError(f"the system let the stand-in have {len(hoard)} MB")
        if self.behave == "disk_full":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if self.behave == "bad_data":
            raise Failure("data", "Line 7 is not JSON (invalid_json_line).", "Correct the line.")

    def garbage(self) -> None:
        head = '"ts": "2026-03-01T12:00:00.000Z", "type": "metric"'
        for line in (
            b'{"seq": 999, "ts": "2026',
            bytes(range(128, 256)).replace(b"\n", b""),
            b'{"seq": 999, ' + head.encode() + b', "step": 1, "note": "' + b"x" * 10_000_000 + b'"}',
            b'{"seq": 999, ' + head.encode() + b', "step": 3, "loss": 1.0, "surprise": true}',
            b'{"seq": 999, ' + head.encode() + b', "step": -1, "loss": 1.0}',
            b'{"seq": 999, ' + head.encode() + b', "step": 1000000000000, "loss": 1.0}',
            b'{"seq": 999, ' + head.encode() + b', "step": 3, "loss": NaN}',
            b"::set-status completed",
        ):
            self.events.raw(line + b"\n")

    def measure(self, step: int, warmup: int, timed: int) -> None:
        """What a trainer tells after its first steps."""
        seconds = round(max((time.monotonic() - self.started) / (warmup + timed), 1e-6), 6)
        self.events.send(
            "probe",
            step=step,
            warmup_steps=warmup,
            timed_steps=timed,
            seconds_per_step={"median": seconds, "low": seconds, "high": seconds},
            tokens_per_step=100,
            padded_tokens_per_step=120,
            trained_tokens_per_step=50,
            tokens_per_second=round(100 / seconds, 1),
            mean_tokens_per_step=100,
            expected_seconds_per_step=seconds,
            longest_pass_tokens=160,
            peak_allocated_mb=None,
            peak_reserved_mb=None,
            device_memory_mb=10,
        )

    def train(self) -> None:
        config, events, seed = self.config, self.events, self.config["training_params"]["seed"]
        events.send("stage", stage="loading_model")
        events.send(
            "hello",
            protocol=1,
            trainer=NAME,
            versions={"python": sys.version.split()[0]},
            device="cpu",
            gpus=[],
            total_parameters=1000,
            trainable_parameters=128 * config["training_params"]["lora_rank"],
        )
        events.send("stage", stage="preparing_data")
        step = first = self.first_step()
        events.send("stage", stage="training")
        interval = config["checkpoint_interval"]
        probe = config["probe"]
        warmup = min(probe["warmup_steps"], self.steps - first - 1)
        measured = min(first + warmup + probe["timed_steps"], self.steps)
        if probe["only"]:
            self.steps, interval = measured, 0
        while step < self.steps:
            if self.stopping:
                self.checkpoint(step)
                raise Failure(
                    "interrupted",
                    f"Stopped by request after step {step}; its checkpoint is kept.",
                    "Resume from the last checkpoint.",
                )
            step += 1
            self.misbehave(step)
            if self.chosen["step_seconds"] and self.behave != "flood_events":
                time.sleep(self.chosen["step_seconds"])
            if self.behave == "nan" and step >= 3:
                events.send("metric", step=step, epoch=step / self.steps, loss=None, nonfinite=True)
                if step == 5:
                    raise Failure("nan_loss", "The loss was not finite three times in a row.", "Lower learning_rate.")
            else:
                loss = loss_at(seed, step)
                events.send("metric", step=step, epoch=step / self.steps, loss=loss, learning_rate=1e-4, grad_norm=1.0)
            if step == measured:
                self.measure(step, warmup, step - first - warmup)
            eta = (time.monotonic() - self.started) / (step - first) * (self.steps - step)
            events.send(
                "progress", step=step, total_steps=self.steps, epoch=step / self.steps, eta_seconds=round(eta, 3)
            )
            if interval and step % interval == 0:
                self.checkpoint(step)
        if not probe["only"]:
            self.publish(step)
        if self.behave == "no_done":
            return
        events.send("stage", stage="done")
        summary: dict = dict.fromkeys(("eval_loss", "best_step", "best_eval_loss", "peak_reserved_mb"))
        summary |= {"steps": step, "epochs": 1, "final_loss": loss_at(seed, step), "tokens": 100 * step}
        summary |= {
            "trained_tokens": 50 * step,
            "seconds": round(time.monotonic() - self.started, 3),
            "peak_memory_mb": 10,
        }
        events.send("done", summary=summary)


def verify(adapter: Path) -> int:
    """Reads the header of adapter_model.safetensors and says in lora_trainer.verify's words if it is whole."""
    data = (adapter / "adapter_model.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
    whole = max(entry["data_offsets"][1] for entry in tensors.values()) == len(data) - 8 - length
    print(json.dumps({"ok": whole, "tensors": len(tensors)}))
    return 0 if whole else 1


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Speak the trainer protocol without training.")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--hello", action="store_true")
    parser.add_argument("--verify", action="store_true")
    parser.add_argument("--base", type=Path)
    parser.add_argument("--adapter", type=Path)
    args = parser.parse_args(argv)
    if args.hello:
        print(json.dumps(HELLO))
        return 0
    if args.verify:
        return verify(args.adapter)
    try:
        config = json.loads(args.config.read_text())
        missing = [name for name in REQUIRED if name not in config]
        if missing:
            raise KeyError(missing[0])
    except (OSError, ValueError, KeyError) as error:
        print(f"config.json is refused: {error}", file=sys.stderr)
        return 2
    events = Events(Path(config["output_path"]) / "events.jsonl")
    try:
        chosen = settings(config, args.config)
        events.clock_off = timedelta(seconds=chosen["clock_seconds"])
        Run(config, chosen, events).train()
    except Failure as failure:
        events.send("error", code=failure.code, message=failure.message, hint=failure.hint)
        return EXIT_CODES[failure.code]
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        try:
            events.send("error", code="disk_full", message="The disk is full.", hint="Free space and start again.")
        except OSError:
            print("disk_full: not even the error line could be written", file=sys.stderr)
        return EXIT_CODES["disk_full"]
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
