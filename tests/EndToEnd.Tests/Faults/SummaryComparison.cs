using System.Globalization;
using System.Text.RegularExpressions;
using LoadHarness.EndToEnd.Tests.Benches;

namespace LoadHarness.EndToEnd.Tests.Faults;

/// <summary>
/// Holds the summary of a run that was disturbed against one of the same spec that was not, field by field. What may differ is
/// listed; any other field must be the same, one that is new in the summary too.
/// </summary>
internal static partial class SummaryComparison
{
    private const string Restarted = "coordinator-restarted";

    // Names and instants of this run, and what is measured in time, memory or by the whole host: no spec determines it.
    private static readonly string[] _mayDiffer =
    [
        "run.id", "run.startedAt", "run.durationSeconds", "run.stages[].durationSeconds",
        // The last connections of a ramp are open at its last instant or just after, so its last second may be the next one.
        "result.reachedAfterSeconds",
        "result.openRatePeak", "result.openRateMean",
        "rates.scheduled", "rates.offered", "rates.completed",
        "latency.connect.mean", "latency.connect.p50", "latency.connect.p90", "latency.connect.p99", "latency.connect.p999", "latency.connect.max",
        // The reading that is compared is the first one of the hold, when the ramp's last connections may not be in our own count yet.
        "kernel.ownEstablished", "kernel.note", "kernel.ageSeconds",
        // Seen only when a reading falls into the end of the drain.
        "kernel.timeWait", "drain.orphansMax",
        // Of the namespace, the link to the coordinator included.
        "kernel.counters.synRetransmits", "kernel.counters.retransmittedSegments",
        // FleetBench.ExpectNoGaps looks at them: only a machine that stood still leaves any.
        "gaps", "result.heldMissingSeconds",
        // Where the machine is too busy to start a coordinator beside the agents, they are late and say so.
        "rates.notOffered", "limits.toolLimited", "limits.reasons",
        "agents[].namespace", "agents[].cpuSeconds", "agents[].maxRssBytes", "agents[].baseRssBytes",
    ];

    /// <summary>Fails with every field that differs and may not. That the coordinator was restarted is expected once in the second one's events.</summary>
    /// <param name="undisturbed">Of the run that was left alone.</param>
    /// <param name="disturbed">Of the other one.</param>
    /// <param name="beside">Fields, with all that is in them, that this disturbance changes and that the test looks at itself.</param>
    public static void ExpectSame(Json undisturbed, Json disturbed, params string[] beside)
    {
        var (expected, actual) = (Fields(undisturbed), Fields(disturbed));
        string[] allowed = [.. _mayDiffer, .. beside];
        var different = expected.Keys.Union(actual.Keys, StringComparer.Ordinal)
            .Where(path => !allowed.Any(a => Covers(a, path)))
            .Where(path => expected.GetValueOrDefault(path) != actual.GetValueOrDefault(path))
            .Select(path => $"{path}: {actual.GetValueOrDefault(path, "missing")} and not {expected.GetValueOrDefault(path, "missing")}");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(different, Is.Empty, "beside the fields that may differ");
            Assert.That(Array.FindAll(allowed, a => !expected.Keys.Concat(actual.Keys).Any(path => Covers(a, path))), Is.Empty, "fields that are gone from the summary");
            Assert.That(undisturbed.List("events").Select(e => e.Text("kind")), Does.Not.Contain(Restarted));
            Assert.That(disturbed.List("events").Count(e => e.Text("kind") == Restarted), Is.EqualTo(1), "the mark of the restart");
        }
    }

    // An event is what happened, whenever it was.
    private static Dictionary<string, string> Fields(Json summary)
    {
        var fields = summary.Leaves().Where(l => !Covers("events", l.Key)).ToDictionary(StringComparer.Ordinal);
        var events = summary.List("events").Where(e => e.Text("kind") != Restarted).ToList();
        for (var i = 0; i < events.Count; i++)
            fields.Add(string.Create(CultureInfo.InvariantCulture, $"events[{i}]"), $"{events[i].Text("kind")} {events[i].Text("agent")} {events[i].Text("message")}");
        return fields;
    }

    private static bool Covers(string pattern, string path)
    {
        path = Index().Replace(path, "[]");
        return path.StartsWith(pattern, StringComparison.Ordinal) && (path.Length == pattern.Length || path[pattern.Length] is '.' or '[');
    }

    [GeneratedRegex(@"\[\d+\]")]
    private static partial Regex Index();
}
