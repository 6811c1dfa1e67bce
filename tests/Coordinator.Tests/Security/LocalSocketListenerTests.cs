using System.Net.Sockets;
using System.Runtime.InteropServices;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Tests.Fleet;

namespace LoadHarness.Coordinator.Tests.Security;

public sealed partial class LocalSocketListenerTests
{
    private const uint Nobody = 65534;
    private const int KeepId = -1;
    private static readonly nint _setresuid = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 147 : 117;

    [Test]
    public async Task Start_Always_ClosesSocketAndDirectoryToOthers()
    {
        await using var fixture = await FleetFixture.StartAsync();

        Assert.Multiple(() =>
        {
            Assert.That(File.GetUnixFileMode(fixture.SocketPath), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
            Assert.That(
                File.GetUnixFileMode(Path.GetDirectoryName(fixture.SocketPath)!),
                Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
        });
    }

    [Test]
    public async Task Start_SocketOfADeadCoordinator_TakesItsPlace()
    {
        var directory = Directory.CreateTempSubdirectory("lh-stale-");
        var path = Path.Combine(directory.FullName, "coordinator.sock");
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(path));
        }

        await using (await CoordinatorHost.StartAsync(Options(path)))
            Assert.That(Connect(path), Is.Null);
        directory.Delete(recursive: true);
    }

    [Test]
    public async Task Start_SocketOfALivingCoordinator_IsRefusedAndLeavesThatOneAlone()
    {
        await using var fixture = await FleetFixture.StartAsync();

        Assert.That(
            async () => await CoordinatorHost.StartAsync(Options(fixture.SocketPath)),
            Throws.TypeOf<CredentialException>().With.Message.Contains(fixture.SocketPath));
        Assert.That((await fixture.Control.ListRunsAsync(new())).Runs, Is.Empty);
    }

    [Test]
    public async Task Connect_AnotherUsersProcess_IsTurnedAwayBeforeAByteIsRead()
    {
        Assert.That(Environment.IsPrivilegedProcess, Is.True, "only root can become another user: run tests/run.sh, which sees to that");
        await using var fixture = await FleetFixture.StartAsync();
        // As if somebody had opened the directory by mistake: the kernel's word on the peer is what is left.
        const UnixFileMode everybody = (UnixFileMode)0x1FF;
        File.SetUnixFileMode(Path.GetDirectoryName(fixture.SocketPath)!, everybody);
        File.SetUnixFileMode(fixture.SocketPath, everybody);
        var received = -1;
        var stranger = new Thread(() =>
        {
            // The raw call changes this thread alone; the C library's function would change them all.
            syscall(_setresuid, KeepId, (nint)Nobody, KeepId);
            using var socket = fixture.Connect();
            socket.ReceiveTimeout = 60_000;
            received = socket.Receive(new byte[1]);
        });

        stranger.Start();
        stranger.Join();

        Assert.Multiple(() =>
        {
            Assert.That(received, Is.Zero, "the connection is closed");
            Assert.That(fixture.Log.Lines, Has.Some.Contains($"user {Nobody}"));
        });
    }

    [Test]
    public void Of_OwnConnection_NamesThisProcess()
    {
        var directory = Directory.CreateTempSubdirectory("lh-peer-");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(directory.FullName, "s")));
        listener.Listen();
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        client.Connect(listener.LocalEndPoint!);
        using var server = listener.Accept();

        Assert.That(PeerCredentials.Of(server), Is.EqualTo(new PeerCredentials(Environment.ProcessId, PeerCredentials.OwnUserId())));
        directory.Delete(recursive: true);
    }

    [TestCase(1000u, 1000u, true)]
    [TestCase(0u, 1000u, true)]
    [TestCase(1001u, 1000u, false)]
    [TestCase(1000u, 0u, false)]
    public void MayTalkTo_Users_OnlyTheSameAndRoot(uint peer, uint own, bool allowed) =>
        Assert.That(new PeerCredentials(1, peer).MayTalkTo(own), Is.EqualTo(allowed));

    private static CoordinatorHostOptions Options(string socketPath) => new()
    {
        SocketPath = socketPath,
        CredentialPath = socketPath + ".credential",
        StorePath = socketPath + ".store",
        Log = new ListLog(),
    };

    private static Exception? Connect(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return null;
        }
        catch (SocketException e)
        {
            return e;
        }
    }

    [DllImport("libc", SetLastError = true)]
    private static extern nint syscall(nint number, nint real, nint effective, nint saved);
}
