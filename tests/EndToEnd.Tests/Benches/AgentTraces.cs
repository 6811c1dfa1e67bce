using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.Benches;

/// <summary>What an agent of a fleet has and its host shows: when a run is over, it is as if there had been none.</summary>
/// <param name="fleet">Whose agent.</param>
/// <param name="host">Where it runs.</param>
/// <param name="id">Its identity.</param>
/// <param name="pid">Its process.</param>
internal sealed class AgentTraces(FleetBench fleet, NetworkNamespace host, string id, int pid)
{
    private int _descriptors;

    /// <summary>Takes what it has now for what it may have, once its first run is over.</summary>
    public void Remember() => _descriptors = Descriptors();

    /// <summary>Waits until nothing of a run is left, and fails when something stays.</summary>
    public async Task ExpectNoneAsync()
    {
        await fleet.IdleAsync(id);
        await Bench.EventuallyAsync(() => Sockets().Length == 0, () => $"sockets of the run are left:\n{Sockets()}");
        await Bench.EventuallyAsync(
            () => Descriptors() <= _descriptors && Reactors() == 0,
            () => $"the agent has {Descriptors()} descriptors, before it had {_descriptors}, and {Reactors()} threads of reactors");
    }

    private string Sockets() => host.Exec(
        "ss", "-Htn", "state", "connected", "exclude", "time-wait", "( dport = :443 or dport = :8443 or ( dport >= :9000 and dport <= :9100 ) )").Trim();

    private int Descriptors() => Directory.GetFileSystemEntries($"/proc/{pid}/fd").Length;

    private int Reactors() => new ProcessEntry(pid, []).Threads.Count(t => t.Name.StartsWith("reactor-", StringComparison.Ordinal));
}
