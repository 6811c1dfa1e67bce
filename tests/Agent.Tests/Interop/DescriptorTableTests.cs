using LoadHarness.Agent.Interop.Libc;

namespace LoadHarness.Agent.Tests.Interop;

public sealed class DescriptorTableTests
{
    [Test]
    public void Unshare_InAThread_LeavesTheOthersTheirTable()
    {
        var marker = (int)Sockets.Create(SocketAddress.AfInet).Value;
        var (unshared, inThread, closed) = (false, true, 0);
        var thread = new Thread(() =>
        {
            unshared = DescriptorTable.Unshare().Ok;
            closed = DescriptorTable.CloseInheritedSockets([]);
            inThread = Sockets.IsSocket(marker);
        });
        thread.Start();
        thread.Join();
        var after = Sockets.IsSocket(marker);
        Sockets.Close(marker);

        Assert.Multiple(() =>
        {
            Assert.That(unshared, Is.True);
            Assert.That(closed, Is.Positive);
            Assert.That(inThread, Is.False);
            Assert.That(after, Is.True);
        });
    }

    [Test]
    public void CloseInheritedSockets_PipesAndFiles_StayOpen()
    {
        using var file = File.OpenRead("/proc/self/status");
        using var bell = new EventFd();
        var readable = false;
        var thread = new Thread(() =>
        {
            _ = DescriptorTable.Unshare();
            DescriptorTable.CloseInheritedSockets([]);
            readable = RandomAccess.GetLength(file.SafeFileHandle) == 0 && RandomAccess.Read(file.SafeFileHandle, new byte[10], 0) == 10;
            bell.Signal();
        });
        thread.Start();
        thread.Join();

        Assert.Multiple(() =>
        {
            Assert.That(readable, Is.True);
            Assert.That(bell.Wait(TimeSpan.Zero), Is.True);
        });
    }
}
