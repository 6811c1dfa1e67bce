using LoadHarness.Coordinator.Specs;

namespace LoadHarness.Coordinator.Runs;

/// <summary>
/// A run: one that goes on, or one that has ended, in this process life or an earlier one. Members may be called from any thread.
/// </summary>
public interface IRun
{
    /// <summary>Sorts by time of creation.</summary>
    string RunId { get; }

    /// <summary>The run as it is now, to read and to watch.</summary>
    Latest<RunSnapshot> Snapshot { get; }

    /// <summary>Completes when the run has ended and its summary is there. Never fails.</summary>
    Task Ended { get; }

    /// <summary>The run's sockets as the kernels counted them last before the drain; null when they are not kept any more.</summary>
    RunSockets? ReadSockets();

    /// <summary>The summary: of a run that goes on as far as it has come, and <c>run.state</c> says so.</summary>
    /// <returns>JSON of schema <c>loadharness/summary/v1</c>.</returns>
    /// <exception cref="RunRejectedException">There is none: nothing was kept that it could be made of.</exception>
    Task<string> ReportAsync();

    /// <summary>Replaces the schedule from now on; the end of the run stays where it is.</summary>
    /// <param name="goal">0 to 100,000,000 connections.</param>
    /// <param name="over">How long the change takes; null: as the run's connect rate allows.</param>
    /// <exception cref="RunRejectedException">The run is not under load, or the goal does not fit; nothing has changed.</exception>
    Task ScaleAsync(long goal, TimeSpan? over);

    /// <summary>Closes a part of the held connections and opens as many again, all agents at once.</summary>
    /// <param name="storm">Checked.</param>
    /// <exception cref="RunRejectedException">
    /// The run does not hold, an earlier storm has not recovered, or it does not fit the slices; nothing has changed.
    /// </exception>
    Task ReconnectAsync(StormSpec storm);

    /// <summary>Drains the run, or ends it at once. A run that has ended stays as it is.</summary>
    /// <param name="immediately">RST instead of FIN.</param>
    /// <param name="reason">For the report; empty when a user asked.</param>
    void Stop(bool immediately, string reason = "");
}
