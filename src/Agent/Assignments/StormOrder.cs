namespace LoadHarness.Agent.Assignments;

/// <summary>Close a part of what is held and open as many again; see ReconnectStorm in assignment.proto.</summary>
/// <param name="Number">1, 2, 3, ... of a run; each is done once.</param>
/// <param name="At">When it begins, elapsed.</param>
/// <param name="Fraction">Of what the agent holds then, above 0, at most 1.</param>
/// <param name="Within">Closes, and connects after them, are spread evenly over this time; zero or more.</param>
/// <param name="ByReset">With RST; otherwise with FIN.</param>
public sealed record StormOrder(ulong Number, TimeSpan At, double Fraction, TimeSpan Within, bool ByReset)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    /// <summary>Who first hears of it later than this, elapsed, has no part in it.</summary>
    public TimeSpan Latest => At + Within + _patience;
}
