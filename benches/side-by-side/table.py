"""Tables, and limits, of what was measured."""
from statistics import median

from scenarios import LARGE, MEMORY, SCENARIOS, SMALL, TAIL

BASELINE = "haproxy"


def by_scenario(samples):
    """Costs as on the fastest state of the core that was seen."""
    fastest = min((s["speed_ms"] for s in samples if "speed_ms" in s), default=None)
    found = {}
    for sample in samples:
        sample = dict(sample)
        if "speed_ms" in sample:
            for key in ("cpu_us", "cpu_ms_per_gb"):
                if key in sample:
                    sample[key] *= fastest / sample["speed_ms"]
        found.setdefault(sample["scenario"], {}).setdefault(sample["proxy"], []).append(sample)
    return found


def ratios(rows, proxy, key, baseline):
    """To the baseline of the same round, so that a slow hour weighs on both."""
    base = {s["round"]: s[key] for s in rows.get(baseline, ()) if s.get(key)}
    return [s[key] / base[s["round"]] for s in rows[proxy] if key in s and s["round"] in base]


def show(samples, baseline=BASELINE):
    """All tables as Markdown."""
    lines = []
    found = by_scenario(samples)
    for name, rows in found.items():
        scenario = SCENARIOS[name]
        key, unit = scenario.cost
        lines += ["", f"### {name}: {scenario.title}", ""]
        lines += columns(("proxy", unit, "lowest", "highest", f"x {baseline}", "lowest", "highest", *more_titles(scenario.cost), "RSS MiB", "errors", "rounds"))
        for proxy, taken in rows.items():
            good = [s for s in taken if "failed" not in s]
            if not good:
                lines.append(f"| {proxy} | failed: {taken[0]['failed']} |")
                continue
            costs = [s[key] for s in good]
            ratio = ratios(rows, proxy, key, baseline)
            cells = [proxy, *spread(costs, 2 if max(costs) < 100 else 0), *spread(ratio, 2), *more(scenario.cost, rows, proxy, good, baseline),
                     f"{median(s['rss_kib'] for s in good) / 1024:.1f}", sum(s["errors"] for s in good), len(good)]
            lines.append("| " + " | ".join(map(str, cells)) + " |")
    if len(found) > 1:
        lines += ["", f"### Ratios to {baseline}: median (lowest to highest of the rounds)", ""]
        names = list(dict.fromkeys(p for rows in found.values() for p in rows))
        lines += columns(("scenario", *names))
        for name, rows in found.items():
            cells = [cell(ratios(rows, p, SCENARIOS[name].cost[0], baseline)) if p in rows else "-" for p in names]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def columns(titles):
    return ["| " + " | ".join(titles) + " |", "|" + " --- |" * len(titles)]


def spread(values, digits):
    return [f"{v:,.{digits}f}" for v in (median(values), min(values), max(values))] if values else ["-"] * 3


def cell(values):
    return "{} ({} to {})".format(*spread(values, 2)) if values else "-"


def more_titles(cost):
    return {
        SMALL: ("requests/s", "user share", "core used", "p50 us", "p99 us"),
        LARGE: ("GB/s", "whole core ms/GB", "core used", "p50 us", "p99 us"),
        TAIL: ("p50 us", "p50, p99 past the proxy", "GB/s", "CPU ms/GB", "x in it", "load core used"),
        MEMORY: ("open",),
    }[cost]


def more(cost, rows, proxy, good, baseline):
    def middle(key, digits=0):
        return f"{median(s[key] for s in good):,.{digits}f}"

    def percent(key):
        return f"{median(s[key] for s in good):.0%}"

    if cost == SMALL:
        return [middle("rps"), percent("user_share"), percent("used"), middle("p50_us"), middle("p99_us")]
    if cost == LARGE:  # work in interrupts is charged to nobody: all that the core did contains it
        whole = median(s["cpu_ms_per_gb"] * (s["used"] + s["foreign"]) / max(1e-9, s["used"]) for s in good)
        return [middle("gb_per_s", 2), f"{whole:.0f}", percent("used"), middle("p50_us"), middle("p99_us")]
    if cost == TAIL:
        bulk = ratios(rows, proxy, "cpu_ms_per_gb", baseline)
        return [middle("p50_us"), f"{middle('past_p50_us')}, {middle('past_p99_us')}", middle("gb_per_s", 2), middle("cpu_ms_per_gb"),
                f"{median(bulk):.2f}" if bulk else "-", percent("load_core")]
    return [middle("requests")]


def warnings(samples):
    """What in these samples makes their figures worth less."""
    good = [s for s in samples if "failed" not in s]
    disturbed = sum(s["foreign"] > 0.1 for s in good)
    if disturbed:
        yield f"NOT QUIET: in {disturbed} of {len(good)} samples something else took more than a tenth of the proxy's core; take ratios of many rounds, if anything"
    speeds = [s["speed_ms"] for s in good if "speed_ms" in s]
    if speeds and max(speeds) > 1.15 * min(speeds):
        yield f"the core's speed changed by a factor of {max(speeds) / min(speeds):.2f} in the run; costs are counted as on its fastest state"
    full = sum(s["scenario"] == "mixed" and s["load_core"] > 0.9 for s in good)
    if full:
        yield f"mixed: in {full} samples the core of the load generator was full, so its own queue is what was measured"


def limits(samples, proxy, wanted, baseline=BASELINE):
    """(a line, whether it holds) for each `scenario=limit`: a ratio, bytes for idle."""
    found = by_scenario(samples)
    for name, limit in wanted.items():
        key = SCENARIOS[name].cost[0]
        rows = found.get(name, {})
        values = ([s[key] for s in rows.get(proxy, ()) if key in s] if key == MEMORY[0] else ratios(rows, proxy, key, baseline)) if proxy in rows else []
        holds = bool(values) and median(values) <= limit
        yield f"{'ok  ' if holds else 'MISS'} {name}: {cell(values) if values else 'not measured'}, limit {limit:g}", holds
