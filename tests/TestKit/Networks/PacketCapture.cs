using LoadHarness.TestKit.Processes;

namespace LoadHarness.TestKit.Networks;

/// <summary>What really leaves a host: tcpdump in a namespace.</summary>
public sealed class PacketCapture : IAsyncDisposable
{
    private readonly ProgramProcess _process;

    private PacketCapture(ProgramProcess process) => _process = process;

    /// <summary>The packets so far, one line each.</summary>
    public IReadOnlyList<string> Packets => _process.Log.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Starts it and returns once it captures.</summary>
    /// <param name="space">Where.</param>
    /// <param name="filter">In the words of pcap-filter(7): <c>tcp[tcpflags] &amp; tcp-syn != 0</c>.</param>
    public static async Task<PacketCapture> StartAsync(NetworkNamespace space, string filter)
    {
        var process = ProgramProcess.Start(new("tcpdump", "-i", "any", "-nn", "-l", "--immediate-mode", filter) { Namespace = space });
        await process.WaitForLineAsync("listening on", TimeSpan.FromSeconds(90));
        return new(process);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
