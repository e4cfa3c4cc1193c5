"""The figures as a table of Markdown."""

import io
import statistics
import zipfile

TIMES = ["function", "init", "beyond process start", "of a processor"]
TIMES += ["first invocation", "of a processor", "warm invocation", "of a processor"]
SIZES = ["function", "resident at the first `/next`", "resident at the end", "peak", "binary", "zipped"]


def of(bare, functions):
    """`bare` are the starts of a program that does nothing; `functions` the binary and the samples by name."""
    runs = len(bare)
    head = f"{runs} starts each: median, 95th percentile. A program that does nothing: {clock(bare)}, {processor(bare)}."
    start = statistics.median(took.clock for took in bare)
    of_times = [times(name, start, samples) for name, (_, samples) in functions.items()]
    of_sizes = [sizes(name, binary, samples) for name, (binary, samples) in functions.items()]
    return "\n\n".join([head, markdown(TIMES, of_times), markdown(SIZES, of_sizes)])


def markdown(columns, rows):
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [columns, ["---"] * len(columns), *rows])


def times(name, start, samples):
    init = [sample.init for sample in samples]
    beyond = statistics.median(took.clock for took in init) - start
    cells = [f"`{name}`", clock(init), milliseconds(beyond), processor(init)]
    for some in [sample.first for sample in samples], [took for sample in samples for took in sample.warm]:
        cells += [clock(some), processor(some)]
    return cells


def sizes(name, binary, samples):
    resident = [statistics.median(getattr(sample, field) for sample in samples) for field in ("idle", "resident")]
    kibibytes = [*resident, max(sample.peak for sample in samples), binary.stat().st_size / 1_024, zipped(binary) / 1_024]
    return [f"`{name}`", *(f"{one * 1_024 / 1e6:.1f} MB" for one in kibibytes)]


def clock(took):
    seconds = [one.clock for one in took]
    # With one start only there is no percentile to speak of.
    percentile = statistics.quantiles(seconds, n=20, method="inclusive")[18] if len(seconds) > 1 else seconds[0]
    return f"{milliseconds(statistics.median(seconds))}, {milliseconds(percentile)}"


def processor(took):
    return milliseconds(statistics.median(one.processor for one in took))


def milliseconds(seconds):
    return f"{seconds * 1_000:.1f} ms"


def zipped(binary):
    """As cargo-lambda and the SAM CLI pack it."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(binary, "bootstrap")
    return len(package.getvalue())
