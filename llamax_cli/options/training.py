"""The options that `llamax train` and `llamax tune` share."""

import inspect
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import Field, fields
from functools import wraps
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from typer import Argument, Context, Option

from llamax_cli.config import TUNING, Training, grouped_settings, written
from llamax_cli.errors import UsageError
from llamax_cli.options.command import READS, RUNS_CODE, FilesAfterOptions, OptionGroup, Writes, declared_paths
from llamax_cli.options.completion import Completion, add_completion
from llamax_cli.options.values import one_of, real_number, whole_number
from llamax_cli.streams.paths import check_paths

RANK = 16  # of LoRA, if --lora gives none


def _files_of_run(output: Path | None) -> tuple[Path, ...]:
    """Return the files that a run replaces in its folder, and the folder of the model that it writes."""
    names = ("run.json", "manifest.json", "metrics.jsonl", "model")
    return tuple(output / name for name in names) if output else ()


WRITES_RUN = Writes(_files_of_run)  # of -o DIR, the folder of a run


def _complete_settings(ctx: Context, incomplete: str) -> list[Completion]:
    """Return the completions of `--set`: each setting with the values that it may have, or with its default."""
    return [
        (f"{name}={value}", meaning) for name, values, meaning in _settings(ctx.info_name == "tune") for value in values
    ]


def _complete_further(ctx: Context, incomplete: str) -> list[Completion]:
    """Return the completions of what follows the first value of `--set`.

    bash splits `block=1` into three words, and then asks for the last of them alone.
    """
    words = [word for word in ctx.params.get("set_") or () if word != "="]
    if not words:
        return []
    settings = {name: values for name, values, _ in _settings(ctx.info_name == "tune")}
    return list(settings.get(words[-1]) or _complete_settings(ctx, incomplete))


def _settings(is_tune: bool) -> Iterator[tuple[str, Sequence[str], str]]:
    """Yield each setting with the values that are known, of numbers and lists the default, and its meaning."""
    for setting in fields(Training):
        default = getattr(TUNING if is_tune else Training(), setting.name)
        among = setting.metadata.get("among") or (("true", "false") if isinstance(default, bool) else ())
        known = tuple(map(written, among)) or (
            f"{default:g}" if isinstance(default, float) else "" if isinstance(default, tuple) else default,
        )
        yield setting.name, [str(value) for value in known], setting.metadata["help"]


Config = Annotated[
    Path | None, Option("--config", metavar="FILE", help="TOML file of settings.", show_default=False), READS
]
Set = Annotated[
    list[str] | None,
    Option(
        "--set",
        metavar="KEY=VALUE...",
        help="Settings, which override --config.",
        show_default=False,
        autocompletion=_complete_settings,
    ),
]
Tokenizer = Annotated[
    str | None,
    Option(
        "--tokenizer",
        metavar="NAME|FOLDER",
        help="Tokenizer, if it is not in the folder of the model.",
        show_default=False,
    ),
    READS,
]
Resume = Annotated[
    str | None,
    Option(
        "--resume",
        metavar="auto",
        callback=one_of(("auto",)),
        help="Continue from the latest checkpoint, if there is one.",
    ),
]
Freeze = Annotated[
    list[str] | None,
    Option(
        "--freeze",
        metavar="PATTERN...",
        help="Name patterns of weights that are not trained, as in model.layers.{8..20}.*.",
        show_default=False,
    ),
]
Lora = Annotated[
    int | None,
    whole_number(
        "--lora", low=0, metavar="[N]", help=f"Train LoRA, with rank {RANK} if none is given.", show_default=False
    ),
]
Keep = Annotated[
    int | None, whole_number("--keep", low=1, metavar="N", help="Number of checkpoints to keep.", show_default=False)
]
TrustRemoteCode = Annotated[
    bool,
    Option("--trust-remote-code", help="Run the Python code that the model brings along, with all your rights."),
    RUNS_CODE,
]
Preflight = Annotated[bool, Option("--preflight", help="Print what the run will take, and stop.")]
Throughput = Annotated[
    float | None,
    real_number(
        "--throughput",
        low=1,
        metavar="N",
        help="With --preflight: measured tokens a second of one GPU, to estimate the days.",
        show_default=False,
    ),
]
DryRun = Annotated[bool, Option("--dry-run", help="Print the call of accelerate, and stop.")]
Quiet = Annotated[bool, Option("-q", "--quiet", help="Show no progress and no summary line.")]
Debug = Annotated[bool, Option("--debug", help="Show the traceback of an error.")]
AccelerateFlags = Annotated[
    list[str] | None,
    Argument(
        metavar="[-- FLAG...]",
        help="Flags for accelerate launch.",
        show_default=False,
        autocompletion=_complete_further,
    ),
    RUNS_CODE,  # accelerate starts any module
]


class TrainingOptions(NamedTuple):
    """How a run trains and how it is launched.

    `settings` are `key=value`, with those of --freeze, --lora and --keep at the end. `given` are the names of the
    options on the command line, except for --trust-remote-code, --quiet and --debug.
    """

    config: Path | None
    settings: list[str]
    tokenizer: str | None
    trust_remote_code: bool
    resume: bool
    preflight: bool
    throughput: float | None
    dry_run: bool
    quiet: bool
    accelerate_flags: list[str]
    given: list[str]

    def launch(
        self,
        model: str,
        data: Sequence[str],
        output: Path,
        *,
        init: bool = False,
        command: str = "train",
        task: str = "",
        tests: Sequence[str] = (),
    ) -> None:
        """Launch a run, or print what it takes; the parameters are those of `training.job.Job`."""
        from llamax_cli.models.gguf import model_folder
        from llamax_cli.training.job import make_job
        from llamax_cli.training.launcher import start

        job = make_job(
            model_folder(model),
            self.tokenizer,
            data,
            output,
            config=self.config,
            settings=self.settings,
            resume=self.resume,
            quiet=self.quiet,
            init=init,
            command=command,
            task=task,
            tests=tests,
            trust_remote_code=self.trust_remote_code,
        )
        start(
            job,
            self.accelerate_flags,
            preflight=self.preflight,
            throughput=self.throughput,
            dry_run=self.dry_run,
        )


def training_options(
    config: Config = None,
    set_: Set = None,
    tokenizer: Tokenizer = None,
    trust_remote_code: TrustRemoteCode = False,
    resume: Resume = None,
    freeze: Freeze = None,
    lora: Lora = None,
    keep: Keep = None,
    preflight: Preflight = False,
    throughput: Throughput = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    debug: Debug = False,
    flags: AccelerateFlags = None,
) -> TrainingOptions:
    """Return the values of the options; UsageError if they contradict each other. `debug` is read by `cli.run`."""
    if throughput is not None and not preflight:
        raise UsageError("--throughput is for the estimate of --preflight; add --preflight, or leave it out")
    shortcuts = {"freeze": freeze or None, "lora": lora, "keep": keep}
    settings = [f"{key}={json.dumps(value)}" for key, value in shortcuts.items() if value is not None]
    values: dict[str, object] = {"--config": config, "--set": set_, "--tokenizer": tokenizer, "--resume": resume}
    values |= {"--freeze": freeze, "--lora": lora, "--keep": keep, "--preflight": preflight, "--dry-run": dry_run}
    values |= {"--throughput": throughput, " ".join(flags or ()): flags}
    return TrainingOptions(
        config=config,
        settings=[*(set_ or ()), *settings],
        tokenizer=tokenizer,
        trust_remote_code=trust_remote_code,
        resume=resume is not None,
        preflight=preflight,
        throughput=throughput,
        dry_run=dry_run,
        quiet=quiet,
        accelerate_flags=flags or [],
        given=given_options(values),
    )


def given_options(values: Mapping[str, object]) -> list[str]:
    """Return the names of the options that have a value: `given_options({"--lora": 8, "--set": []}) -> ["--lora"]`."""
    return [name for name, value in values.items() if not (value is None or value is False or value == [])]


class TrainingCommand(FilesAfterOptions):
    """A command whose repeatable options take several values, whose `--lora` needs no rank, and which has settings."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help of the options, and after it that of the settings."""
        super().format_help(ctx, formatter)
        defaults = TUNING if ctx.info_name == "tune" else Training()
        for title, settings in grouped_settings().items():
            with formatter.section(f"{title} (--set KEY=VALUE)"):
                formatter.write_dl([(each.name, _help_of(each, getattr(defaults, each.name))) for each in settings])

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Add the default rank after a `--lora` that no number follows."""
        end = args.index("--") if "--" in args else len(args)
        filled: list[str] = []
        for place, argument in enumerate(args[:end]):
            filled.append(argument)
            following = args[place + 1] if place + 1 < end else "-"
            if argument == "--lora" and following[:1] == "-" and not following[1:].isdecimal():
                filled.append(str(RANK))
        return super().parse_args(ctx, filled + args[end:])


def _help_of(setting: "Field[Any]", default: Any) -> str:
    among = setting.metadata.get("among")
    values = f" One of {', '.join(map(written, among))}." if among and len(among) > 1 else ""
    return f"{setting.metadata['help']}{values}  [default: {written(default)}]"


def training_command(function: Callable[..., None]) -> Callable[..., None]:
    """Turn a function into a command; a parameter marked with Flags stands for the options that it is made from."""
    parameters = list(inspect.signature(function, eval_str=True).parameters.values())
    marks = {
        parameter.name: mark
        for parameter in parameters
        for mark in getattr(parameter.annotation, "__metadata__", ())
        if isinstance(mark, OptionGroup)
    }

    @wraps(function)
    def start(**given: Any) -> None:
        reads, writes = declared_paths(options, given)
        # A run may be in the folder of the model that it begins with; only the files that it replaces matter.
        check_paths(reads, writes, uses_stdout=False, below_folders=False)
        function(**{name: marks[name].value(given) if name in marks else given[name] for name in names})

    names = [parameter.name for parameter in parameters]
    expanded = [marks[each.name].options if each.name in marks else [each] for each in parameters]
    for option in chain(*expanded):
        add_completion(option)
    options = [option.replace(kind=inspect.Parameter.KEYWORD_ONLY) for option in chain(*expanded)]
    start.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    start.__annotations__ = {option.name: option.annotation for option in options}
    start.command_class = TrainingCommand  # type: ignore[attr-defined]
    return start
