using LoadHarness.Agent.Interop.Libc;

namespace LoadHarness.Agent.Tests.Interop;

public sealed class SysResultTests
{
    private const int Ebadf = 9;

    [Test]
    public void Errno_WhileCollectionsStopTheThread_IsThatOfTheCall()
    {
        // A thread that returns from native code into a collection waits in the kernel: errno must outlive that.
        using var stop = new CancellationTokenSource();
        var collector = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
                GC.Collect(0);
        });
        collector.Start();
        var wrong = 0;
        for (var i = 0; i < 200_000; i++)
            wrong += Sockets.Close(-1).Errno == Ebadf ? 0 : 1;
        stop.Cancel();
        collector.Join();

        Assert.That(wrong, Is.Zero);
    }

    [Test]
    public void Errno_AfterSuccess_IsZero()
    {
        _ = Sockets.Close(-1);
        var created = Sockets.Create(SocketAddress.AfInet);
        Sockets.Close((int)created.Value);

        Assert.Multiple(() =>
        {
            Assert.That(created.Ok, Is.True);
            Assert.That(created.Errno, Is.Zero);
        });
    }
}
