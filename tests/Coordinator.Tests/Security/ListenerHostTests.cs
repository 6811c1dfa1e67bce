using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Grpc.Health.V1;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Security;

/// <summary>What a coordinator's listeners do before and beside credentials.</summary>
public sealed class ListenerHostTests
{
    [TestCase("0.0.0.0")]
    [TestCase("::")]
    [TestCase("192.0.2.1")]
    public async Task Start_OpenToTheNetworkWithoutTls_IsRefusedWithTheCommandsThatHelp(string host)
    {
        await using var fixture = await SecureFixture.StartAsync();
        var options = Plain(fixture) with { Listen = [new(new(IPAddress.Parse(host), 7443), host)] };

        Assert.That(async () => await CoordinatorHost.StartAsync(options), Throws.TypeOf<CredentialException>().With.Message
            .Contains("loadharness certs init").And.Message.Contains("loadharness certs issue server --host"));
        Assert.That(File.Exists(options.CredentialPath), Is.False, "nothing is left behind");
    }

    [Test]
    public async Task Start_CorruptTokens_IsRefusedBeforeAnybodyCanDial()
    {
        await using var fixture = await SecureFixture.StartAsync();
        var options = Plain(fixture);
        options.State!.Prepare();
        SafeFile.Replace(options.State.Tokens, "token file", "{", SafeFile.OwnerOnly);

        Assert.That(async () => await CoordinatorHost.StartAsync(options),
            Throws.TypeOf<CredentialException>().With.Message.Contains(options.State.Tokens));
        Assert.That(File.Exists(options.CredentialPath), Is.False);
    }

    [Test]
    public async Task Handshake_CertificateReplaced_PresentsTheNewOneAndEndsNoConnection()
    {
        await using var fixture = await SecureFixture.StartAsync();
        var early = fixture.Dial(fixture.Viewer);
        await early.Control.ListRunsAsync(new());

        TestCertificates.IssueServer(fixture.State, fixture.Now);
        var late = fixture.Dial(fixture.Viewer);
        await late.Control.ListRunsAsync(new());
        var before = early.Presented;
        await early.Control.ListRunsAsync(new());

        Assert.That(late.Presented, Is.Not.EqualTo(before));
        Assert.That(early.Presented, Is.EqualTo(before), "it has not dialled again");
    }

    [Test]
    public async Task Handshake_PlaintextToTls_IsNotServed()
    {
        await using var fixture = await SecureFixture.StartAsync();
        using var client = SecureClient.OverPlain(fixture.Host.Addresses[0].Endpoint, fixture.Operator);

        var refusal = await Assert.ThrowsAsync<RpcException>(async () => await client.Control.ListRunsAsync(new()));

        Assert.That(refusal!.StatusCode, Is.AnyOf(StatusCode.Unavailable, StatusCode.Internal));
    }

    [Test]
    public async Task Connect_Garbage_DisturbsNobody()
    {
        await using var fixture = await SecureFixture.StartAsync();
        foreach (var garbage in new byte[][] { [0], [.. Enumerable.Repeat((byte)'x', 100_000)], [0x16, 0x03, 0x01, 0xff, 0xff, .. new byte[1000]] })
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(fixture.Host.Addresses[0].Endpoint);
            try
            {
                await socket.SendAsync(garbage);
            }
            catch (SocketException)
            {
                // It was turned away already.
            }
        }

        Assert.That((await fixture.Dial(fixture.Viewer).Control.ListRunsAsync(new())).Runs, Is.Empty);
    }

    [Test]
    public async Task Connect_OneAddressThatHoldsTooMany_IsTurnedAwayAloneAndForNoLongerThanItHoldsThem()
    {
        await using var fixture = await SecureFixture.StartAsync(o => o with { Rates = new() { ConnectionsPerAddress = 3 } });
        var holders = Enumerable.Range(0, 3).Select(_ => fixture.Dial(fixture.Viewer)).ToArray();
        foreach (var holder in holders)
            Assert.That(await StatusOf(holder.Control), Is.EqualTo(StatusCode.OK));

        Assert.That(await StatusOf(fixture.Dial(fixture.Operator).Control), Is.Not.EqualTo(StatusCode.OK), "the fourth connection of this address");
        Assert.That(await StatusOf(holders[0].Control), Is.EqualTo(StatusCode.OK), "those that are there stay");
        Assert.That(await StatusOf(fixture.DialSocket(fixture.Local.Value).Control), Is.EqualTo(StatusCode.OK), "who comes from elsewhere");

        holders[0].Dispose();
        Assert.That(async () => await StatusOf(fixture.Dial(fixture.Operator).Control), Is.EqualTo(StatusCode.OK).After(60_000, 50));
    }

    [Test]
    public async Task Health_Check_IsServingForWhoMayLook()
    {
        await using var fixture = await SecureFixture.StartAsync();
        var health = new Health.HealthClient(fixture.Dial(fixture.Viewer).Invoker);

        Assert.That((await health.CheckAsync(new())).Status, Is.EqualTo(HealthCheckResponse.Types.ServingStatus.Serving));
        fixture.Host.Agents.EndAll("a test");
        Assert.That((await health.CheckAsync(new())).Status, Is.EqualTo(HealthCheckResponse.Types.ServingStatus.NotServing));
    }

    [Test]
    public async Task Call_TooManyWrongCredentials_SlowsThatAddressDownButNoEnrolledAgent()
    {
        await using var fixture = await SecureFixture.StartAsync(o => o with
        {
            Rates = new() { FailureBurst = 3, FailurePause = TimeSpan.FromHours(1) },
        });
        var key = TestCertificates.SelfSigned(fixture.Now);
        var hello = FakeAgent.MakeHello("a");
        await fixture.Dial(fixture.Join, key).AttachAsync(hello);
        var guesses = new List<StatusCode>();
        for (var i = 0; i < 5; i++)
            guesses.Add(await StatusOf(fixture.Dial(Credential.Generate().Value).Control));

        Assert.That(guesses, Is.EqualTo(new[]
        {
            StatusCode.Unauthenticated, StatusCode.Unauthenticated, StatusCode.Unauthenticated,
            StatusCode.ResourceExhausted, StatusCode.ResourceExhausted,
        }));
        Assert.That(await StatusOf(fixture.Dial(fixture.Viewer).Control), Is.EqualTo(StatusCode.ResourceExhausted), "not even a right one is looked at");
        Assert.That(await StatusOf(fixture.DialSocket(fixture.Local.Value).Control), Is.EqualTo(StatusCode.OK));
        Assert.That((await fixture.Dial(Credential.Generate().Value, key).AttachAsync(hello)).Welcome, Is.Not.Null);
    }

    [Test]
    public async Task Call_TooMany_AreRefusedInWordsForThisCallerOnly()
    {
        await using var fixture = await SecureFixture.StartAsync(o => o with { Rates = new() { CallBurst = 5, CallsPerSecond = 1 } });
        var viewer = fixture.Dial(fixture.Viewer).Control;
        RpcException? refusal = null;
        for (var i = 0; i < 1000 && refusal is null; i++)
        {
            try
            {
                await viewer.ListRunsAsync(new());
            }
            catch (RpcException e)
            {
                refusal = e;
            }
        }

        Assert.That(refusal?.StatusCode, Is.EqualTo(StatusCode.ResourceExhausted));
        Assert.That(refusal!.Status.Detail, Does.Contain("user:viewer").And.Contain("per second"));
        Assert.That(await StatusOf(fixture.Dial(fixture.Operator).Control), Is.EqualTo(StatusCode.OK));
    }

    private static CoordinatorHostOptions Plain(SecureFixture fixture)
    {
        var state = new StateDirectory(fixture.State.Path + "-plain");
        return new CoordinatorHostOptions
        {
            SocketPath = Path.Combine(state.Path, "run", "coordinator.sock"),
            CredentialPath = Path.Combine(state.Path, "run", "credential"),
            StorePath = state.Store,
            State = state,
            Time = fixture.Time,
            Log = fixture.Log,
        };
    }

    private static async Task<StatusCode> StatusOf(Control.ControlClient control)
    {
        try
        {
            await control.ListRunsAsync(new());
            return StatusCode.OK;
        }
        catch (RpcException e)
        {
            return e.StatusCode;
        }
    }
}
