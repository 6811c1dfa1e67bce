using System.Collections.Concurrent;
using Grpc.Core;
using LoadHarness.Agent.Link;
using LoadHarness.V1;
using AssignmentStatus = LoadHarness.Agent.Assignments.AssignmentStatus;

namespace LoadHarness.Agent.Tests.Link;

public class AttachWriterTests
{
    [Test]
    public void Run_EveryPoolThreadBlocked_GoesOnSendingHeartbeats()
    {
        // Not disposed: items that are still queued at the end look at it later.
        var release = new ManualResetEventSlim();
        ThreadPool.GetMinThreads(out var least, out _);
        // More than the pool has, and than it will start within the test.
        for (var i = 0; i < Math.Max(least, ThreadPool.ThreadCount) + 100; i++)
            ThreadPool.UnsafeQueueUserWorkItem(_ => release.Wait(), null);
        var stream = new RecordingStream();
        var writer = new AttachWriter(stream, TimeSpan.FromMilliseconds(20), () => null);

        writer.Start();

        try
        {
            Assert.That(() => stream.Written.Count, Is.GreaterThan(10).After(60_000, 10));
            Assert.That(stream.Written.Select(w => w.Heartbeat.Sequence), Is.Ordered.And.Unique);
            Assert.That(ThreadPool.PendingWorkItemCount, Is.Positive, "the pool was blocked all the time");
        }
        finally
        {
            release.Set();
            writer.Stop();
        }
    }

    [Test]
    public async Task SayGoodbye_StatusLeft_ComesLastAndCompletes()
    {
        var stream = new RecordingStream();
        var status = new AssignmentStatus { RunId = "run-1", Revision = new(1, 1), StoreId = "store", Phase = Phase.Drained };
        var writer = new AttachWriter(stream, TimeSpan.FromSeconds(60), () => status);
        writer.Start();

        writer.SayGoodbye("done");
        await writer.Ended.WaitAsync(TimeSpan.FromSeconds(60));

        Assert.That(stream.Written.TakeLast(2).Select(w => w.MessageCase), Is.EqualTo(new[]
        {
            AttachRequest.MessageOneofCase.Status, AttachRequest.MessageOneofCase.Goodbye,
        }));
        Assert.That(stream.IsCompleted, Is.True);
    }

    [Test]
    public void Run_TheStreamBreaks_EndsWithTheFailure()
    {
        var writer = new AttachWriter(new RecordingStream { Failure = new IOException("broken") }, TimeSpan.FromSeconds(60), () => null);

        writer.Start();

        Assert.That(async () => await writer.Ended.WaitAsync(TimeSpan.FromSeconds(60)), Throws.InstanceOf<IOException>());
    }

    private sealed class RecordingStream : IClientStreamWriter<AttachRequest>
    {
        public ConcurrentQueue<AttachRequest> Written { get; } = [];

        public bool IsCompleted { get; private set; }

        public Exception? Failure { get; init; }

        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(AttachRequest message)
        {
            if (Failure is not null)
                return Task.FromException(Failure);
            Written.Enqueue(message);
            return Task.CompletedTask;
        }

        public Task CompleteAsync()
        {
            IsCompleted = true;
            return Task.CompletedTask;
        }
    }
}
