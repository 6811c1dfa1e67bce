using Grpc.Core;
using Grpc.Net.Client;
using LoadHarness.V1;

namespace LoadHarness.EndToEnd.Tests.Fleet;

/// <content>What a broken agent, or one that was taken over, may do beside its work.</content>
internal sealed partial class OddAgent
{
    private readonly List<GrpcChannel> _uploads = [];
    private TaskCompletionSource _reading = Reading();

    /// <summary>Names its attachment.</summary>
    public string SessionId { get; private set; } = "";

    /// <summary>Reads none of the coordinator's messages from now on.</summary>
    public void StopReading() => _reading = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Begins an upload on a connection of its own.</summary>
    /// <param name="hello">Whose; null: its own.</param>
    public async Task<AsyncDuplexStreamingCall<UploadRequest, UploadResponse>> UploadAsync(UploadHello? hello = null)
    {
        var channel = _another();
        _uploads.Add(channel);
        var call = new AgentLink.AgentLinkClient(channel).Upload();
        await call.RequestStream.WriteAsync(new()
        {
            Hello = hello ?? new() { AgentId = Hello.AgentId, Incarnation = Hello.Incarnation, SessionId = SessionId },
        });
        return call;
    }

    /// <summary>A sound sample of one second in which it claims to hold its share.</summary>
    public static Sample MakeSample(string runId, ulong sequence, long second, ulong established, ulong opened = 0) => new()
    {
        RunId = runId,
        Sequence = sequence,
        FromMillis = second * 1000,
        ToMillis = (second + 1) * 1000,
        Gauges = new() { Established = established, EstablishedMax = established, Goal = established },
        Counters = new() { Opened = opened, Offered = opened, Scheduled = opened },
        Health = new() { RssBytes = 1 << 20, Reactors = 1, CpuMicros = 1000 },
    };

    private static TaskCompletionSource Reading()
    {
        var reading = new TaskCompletionSource();
        reading.SetResult();
        return reading;
    }
}
