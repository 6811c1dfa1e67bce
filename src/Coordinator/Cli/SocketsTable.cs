using LoadHarness.Coordinator.Cli.LiveView;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Cli;

/// <summary>
/// Sockets by endpoint and state: what <c>ss | awk | sort | uniq -c</c> gives. A column for each state that occurs, the rarest together when
/// they do not fit; a row for each endpoint, those with most sockets first.
/// </summary>
internal static class SocketsTable
{
    private const int Gap = 2;

    /// <param name="writer">Takes the table.</param>
    /// <param name="what">Heading of the endpoints: <c>source</c>.</param>
    /// <param name="endpoints">All of them.</param>
    /// <param name="top">Rows at most; the others are summed up in one line.</param>
    /// <param name="width">Columns of the terminal.</param>
    public static void Write(TextWriter writer, string what, IReadOnlyCollection<EndpointView> endpoints, int top, int width)
    {
        if (endpoints.Count == 0)
        {
            writer.WriteLine($"no sockets by {what}");
            return;
        }

        var sum = endpoints.Aggregate(StateCounts.None, (s, e) => s + e.States);
        var shown = endpoints.OrderByDescending(e => e.States.Total).ThenBy(e => e.Endpoint).Take(top).ToList();
        var rest = endpoints.Count - shown.Count;
        var more = rest > 0 ? $"and {Wording.Count(rest)} more" : "";
        var name = shown.Max(e => Math.Max(e.Endpoint.ToString().Length, Math.Max(what.Length, more.Length)));
        var (columns, hasOthers) = Columns(sum, width - name);
        var rows = shown.Select(e => Row(e.Endpoint.ToString(), e.States, columns, hasOthers)).ToList();
        if (rest > 0)
            rows.Add(Row(more, sum + Negated(shown), columns, hasOthers));
        rows.Add(Row("total", sum, columns, hasOthers));
        string[] others = hasOthers ? [">other"] : [];
        TextTable.Write(writer, [what, .. columns.Select(c => ">" + Wording.TcpStateName(c)), .. others, ">total"], rows);
    }

    // The states in the order of their numbers, as many of the most frequent ones as there is room for.
    private static (List<TcpState> Columns, bool HasOthers) Columns(StateCounts sum, int room)
    {
        var states = sum.Occurring.OrderByDescending(s => s.Count).Select(s => s.State).ToList();
        room -= Gap + Wide("total", sum.Total);
        var all = states.Count;
        while (states.Count > 1 && states.Sum(s => Gap + Wide(Wording.TcpStateName(s), sum[s]))
            + (states.Count < all ? Gap + Wide("other", sum.Total - states.Sum(s => sum[s])) : 0) > room)
        {
            states.RemoveAt(states.Count - 1);
        }

        return ([.. states.Order()], states.Count < all);
    }

    private static int Wide(string heading, long count) => Math.Max(heading.Length, Wording.Count(count).Length);

    private static StateCounts Negated(IEnumerable<EndpointView> endpoints) =>
        StateCounts.Of(endpoints.SelectMany(e => e.States.Occurring).Select(s => (s.State, -s.Count)));

    private static string[] Row(string name, StateCounts states, List<TcpState> columns, bool hasOthers)
    {
        string[] others = hasOthers ? [Wording.Count(states.Total - columns.Sum(c => states[c]))] : [];
        return [name, .. columns.Select(c => Wording.Count(states[c])), .. others, Wording.Count(states.Total)];
    }
}
