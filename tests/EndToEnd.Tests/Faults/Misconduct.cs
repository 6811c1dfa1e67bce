using Google.Protobuf;
using Grpc.Core;
using LoadHarness.EndToEnd.Tests.Fleet;
using LoadHarness.V1;

namespace LoadHarness.EndToEnd.Tests.Faults;

/// <summary>Ways in which an agent does harm once it works for a run. Each goes on until it is cut off or cancelled.</summary>
internal static class Misconduct
{
    // Just below what a message may have.
    private const int LargeBytes = 3_900_000;

    /// <summary>Heartbeats as fast as the connection takes them.</summary>
    public static Task FloodHeartbeatsAsync(OddAgent agent, Assignment work, CancellationToken cancel) =>
        RepeatAsync(i => agent.SendAsync(new() { Heartbeat = new() { Sequence = 1_000_000 + i, SentNanos = (long)i } }), cancel);

    /// <summary>Statuses that are as large as a message may be, all alike but for their findings.</summary>
    public static Task FloodStatusesAsync(OddAgent agent, Assignment work, CancellationToken cancel)
    {
        var text = new string('x', LargeBytes / 1000);
        return RepeatAsync(
            i =>
            {
                var status = OddAgent.Obey(work);
                status.Findings.Add(Enumerable.Range(0, 1000).Select(n => new Finding
                {
                    Severity = Finding.Types.Severity.Warning,
                    Subject = FormattableString.Invariant($"{i}/{n}"),
                    Message = text,
                }));
                return agent.SendAsync(new() { Status = status });
            },
            cancel);
    }

    /// <summary>Sound samples, each of the same second.</summary>
    public static Task FloodSamplesAsync(OddAgent agent, Assignment work, CancellationToken cancel) =>
        UploadAsync(agent, i => OddAgent.MakeSample(work.RunId, i, (long)i, 0), cancel);

    /// <summary>Samples that are as large as a message may be.</summary>
    public static Task FloodLargeSamplesAsync(OddAgent agent, Assignment work, CancellationToken cancel) => UploadAsync(
        agent,
        i =>
        {
            var sample = OddAgent.MakeSample(work.RunId, i, 0, 0);
            sample.Histograms.Add(new HistogramDelta { Kind = HistogramKind.Connect, Encoded = ByteString.CopyFrom(new byte[LargeBytes]) });
            return sample;
        },
        cancel);

    /// <summary>Heartbeats go on, and none of the coordinator's messages is read.</summary>
    public static Task ReadNothingAsync(OddAgent agent, Assignment work, CancellationToken cancel)
    {
        agent.StopReading();
        return Task.Delay(Timeout.Infinite, cancel);
    }

    /// <summary>Samples that cannot be: one of each kind again and again, never faster than they may come.</summary>
    public static async Task SendImpossibleSamplesAsync(OddAgent agent, Assignment work, CancellationToken cancel)
    {
        var spoilings = new Action<Sample>[]
        {
            s => s.Counters.Opened = ulong.MaxValue,
            s => s.Counters.Opened = unchecked((ulong)-1000),
            s => s.Counters.BytesReceived = 1UL << 47,
            s => s.Gauges.Established = 1UL << 63,
            s => (s.FromMillis, s.ToMillis) = (3_000_000, 3_001_000),
            s => (s.FromMillis, s.ToMillis) = (2000, 1000),
            s => (s.FromMillis, s.ToMillis) = (-5000, -4000),
            s => s.ToMillis = long.MaxValue,
            s => s.RunId = "no-such-run",
            s => s.Gauges = null,
            s => s.Histograms.Add(new HistogramDelta { Kind = HistogramKind.Connect, Encoded = ByteString.CopyFrom(OfAnotherLayout()) }),
        };
        await UploadAsync(
            agent,
            i =>
            {
                var sample = OddAgent.MakeSample(work.RunId, i, 0, 1000, opened: 1000);
                spoilings[i % (ulong)spoilings.Length](sample);
                return sample;
            },
            cancel,
            TimeSpan.FromMilliseconds(60));
    }

    /// <summary>Uploads in the name of another agent, by its own session and by that of the other.</summary>
    /// <returns>What the coordinator said to each.</returns>
    public static async Task<IReadOnlyList<StatusCode>> UploadAsAnotherAsync(OddAgent agent, OddAgent victim, string honest, Assignment work)
    {
        var answers = new List<StatusCode>();
        foreach (var hello in new UploadHello[]
        {
            new() { AgentId = honest, Incarnation = agent.Hello.Incarnation, SessionId = agent.SessionId },
            new() { AgentId = victim.Hello.AgentId, Incarnation = victim.Hello.Incarnation, SessionId = victim.SessionId },
            new() { AgentId = agent.Hello.AgentId, Incarnation = agent.Hello.Incarnation, SessionId = victim.SessionId },
        })
        {
            using var call = await agent.UploadAsync(hello);
            try
            {
                await call.RequestStream.WriteAsync(new() { Sample = OddAgent.MakeSample(work.RunId, 1, 0, 9_999, opened: 9_999) });
                await call.ResponseStream.MoveNext(CancellationToken.None);
                answers.Add(StatusCode.OK);
            }
            catch (RpcException e)
            {
                answers.Add(e.StatusCode);
            }
            catch (InvalidOperationException)
            {
                answers.Add(call.GetStatus().StatusCode);
            }
        }

        return answers;
    }

    // The header of HdrHistogram's V2 encoding with two digits instead of three, and no counts.
    private static byte[] OfAnotherLayout() =>
    [
        0x1c, 0x84, 0x93, 0x13, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xd6, 0x93, 0xa4, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];

    private static async Task UploadAsync(OddAgent agent, Func<ulong, Sample> make, CancellationToken cancel, TimeSpan pause = default)
    {
        using var call = await agent.UploadAsync();
        var reading = ReadAllAsync(call.ResponseStream, cancel);
        await RepeatAsync(
            async i =>
            {
                await call.RequestStream.WriteAsync(new() { Sample = make(i + 1) }, cancel);
                await Task.Delay(pause, cancel);
            },
            cancel);
        await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static async Task ReadAllAsync(IAsyncStreamReader<UploadResponse> responses, CancellationToken cancel)
    {
        while (await responses.MoveNext(cancel))
        {
        }
    }

    // Being cut off is what it deserves.
    private static async Task RepeatAsync(Func<ulong, Task> send, CancellationToken cancel)
    {
        try
        {
            for (ulong i = 0; !cancel.IsCancellationRequested; i++)
                await send(i).WaitAsync(cancel);
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException or InvalidOperationException or IOException)
        {
        }
    }
}
