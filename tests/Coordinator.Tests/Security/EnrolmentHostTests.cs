using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Security;

/// <summary>Whose an agent identity is, over real TLS.</summary>
public sealed class EnrolmentHostTests
{
    private SecureFixture _fixture = null!;

    [SetUp]
    public async Task StartAsync() => _fixture = await SecureFixture.StartAsync();

    [TearDown]
    public async Task StopAsync() => await _fixture.DisposeAsync();

    [Test]
    public async Task Attach_WithAJoinToken_BindsTheIdentityAndLaterNeedsTheKeyAlone()
    {
        var key = NewKey();
        var first = await AttachAsync("a", _fixture.Join, key);
        _fixture.Time.Advance(TimeSpan.FromDays(2));
        var later = await AttachAsync("a", null, key);
        var withExpiredToken = await AttachAsync("a", _fixture.Join, key);
        await _fixture.RestartAsync();
        var afterRestart = await AttachAsync("a", null, key);

        Assert.Multiple(() =>
        {
            Assert.That(first.Welcome, Is.Not.Null);
            Assert.That(later.Welcome, Is.Not.Null);
            Assert.That(withExpiredToken.Welcome, Is.Not.Null, "an agent sends its token as long as it is there");
            Assert.That(afterRestart.Welcome, Is.Not.Null);
        });
    }

    [Test]
    public async Task Attach_IdentityOfAnotherKey_IsRefusedNamingBothAndTheRemedy()
    {
        var (owner, thief) = (NewKey(), NewKey());
        await AttachAsync("a", _fixture.Join, owner);

        var byToken = await RefusalOfAsync("a", _fixture.Join, thief);
        await AttachAsync("b", _fixture.Join, thief);
        var byEnrolledKey = await RefusalOfAsync("a", null, thief);

        Assert.Multiple(() =>
        {
            Assert.That(byToken.StatusCode, Is.EqualTo(StatusCode.PermissionDenied));
            Assert.That(byToken.Detail, Does.Contain("`a`").And.Contain(CertificateNames.KeyFingerprint(owner)[..16])
                .And.Contain(CertificateNames.KeyFingerprint(thief)[..16]).And.Contain("loadharness agents forget a"));
            Assert.That(byEnrolledKey.StatusCode, Is.EqualTo(StatusCode.PermissionDenied));
        });
    }

    [Test]
    public async Task Attach_EnrolledKeyClaimsANewIdentityWithoutToken_IsRefused()
    {
        var key = NewKey();
        await AttachAsync("a", _fixture.Join, key);

        var refusal = await RefusalOfAsync("b", null, key);

        Assert.That(refusal.StatusCode, Is.EqualTo(StatusCode.PermissionDenied));
        Assert.That(refusal.Detail, Does.Contain("`b` is not enrolled").And.Contain("--role agent"));
    }

    [Test]
    public async Task Attach_LocalCredential_OpensOnlyIdentitiesWithoutAKey()
    {
        await AttachAsync("a", _fixture.Join, NewKey());
        var local = _fixture.DialSocket(_fixture.Local.Value);

        Assert.That((await local.AttachAsync(FakeAgent.MakeHello("other"))).Welcome, Is.Not.Null);
        Assert.That(async () => await local.AttachAsync(FakeAgent.MakeHello("a")),
            Throws.TypeOf<RpcException>().With.Property(nameof(RpcException.StatusCode)).EqualTo(StatusCode.PermissionDenied));
    }

    [Test]
    public async Task Attach_IdentityOfALivingAgent_IsNotBoundToTheNewcomersKey()
    {
        var hello = FakeAgent.MakeHello("a");
        var local = _fixture.DialSocket(_fixture.Local.Value);
        using var call = new AgentLink.AgentLinkClient(local.Invoker).Attach();
        await call.RequestStream.WriteAsync(new() { Hello = hello });
        await call.ResponseStream.MoveNext(CancellationToken.None);

        // The old one answers when the coordinator asks who of both is alive.
        var claim = AttachAsync("a", _fixture.Join, NewKey());
        for (var i = 1ul; !claim.IsCompleted; i++)
        {
            await call.RequestStream.WriteAsync(new() { Heartbeat = new() { Sequence = i } });
            await call.ResponseStream.MoveNext(CancellationToken.None);
            // While no time passes there are just so many that it may send.
            await Task.WhenAny(claim, Task.Delay(50));
        }

        Assert.That((await claim).Refusal?.Code, Is.EqualTo(Refusal.Types.Code.IdentityInUse));
        Assert.That((await local.AttachAsync(hello)).Welcome, Is.Not.Null, "the identity is still nobody's");
    }

    [Test]
    public async Task Attach_LabelsThatTheTokenPrescribes_AreDemandedThenAndLater()
    {
        var token = _fixture.AddToken("lab", TokenRole.Agent, TimeSpan.FromHours(1), ("zone", "a"), ("rack", "7"));
        var key = NewKey();
        var carrying = FakeAgent.MakeHello("a");
        carrying.Labels.Add("zone", "a");
        carrying.Labels.Add("rack", "7");
        carrying.Labels.Add("more", "is fine");

        var without = await RefusalOfAsync("a", token, key);
        var first = await _fixture.Dial(token, key).AttachAsync(carrying);
        var later = await RefusalOfAsync("a", null, key);

        Assert.Multiple(() =>
        {
            Assert.That(without.StatusCode, Is.EqualTo(StatusCode.PermissionDenied));
            Assert.That(without.Detail, Does.Contain("`lab`").And.Contain("--label rack=7 --label zone=a"));
            Assert.That(first.Welcome, Is.Not.Null);
            Assert.That(later.StatusCode, Is.EqualTo(StatusCode.PermissionDenied));
            Assert.That(later.Detail, Does.Contain("was enrolled for agents that carry rack=7, zone=a"));
        });
    }

    [Test]
    public async Task Attach_CertificateOfTheAuthority_EnrolsItsIdentityAndNoOther()
    {
        var certificate = TestCertificates.Agent(_fixture.State, "load-7", _fixture.Now);

        var other = await RefusalOfAsync("load-8", null, certificate);
        var own = await AttachAsync("load-7", null, certificate);
        _fixture.Time.Advance(TimeSpan.FromDays(3));
        var expired = await AttachAsync("load-7", null, certificate);

        Assert.Multiple(() =>
        {
            Assert.That(other.StatusCode, Is.EqualTo(StatusCode.PermissionDenied));
            Assert.That(other.Detail, Does.Contain("issued to agent identity `load-7`, not to `load-8`"));
            Assert.That(own.Welcome, Is.Not.Null);
            Assert.That(expired.Welcome, Is.Not.Null, "from then on the key is enough");
        });
    }

    [Test]
    public async Task Attach_ExpiredCertificateOfTheAuthority_SaysSo()
    {
        var certificate = TestCertificates.Agent(_fixture.State, "load-7", _fixture.Now, TimeSpan.FromMinutes(1));
        _fixture.Time.Advance(TimeSpan.FromMinutes(2));

        var refusal = await RefusalOfAsync("load-7", null, certificate);

        Assert.That(refusal.StatusCode, Is.EqualTo(StatusCode.Unauthenticated));
        Assert.That(refusal.Detail, Does.Contain("valid from 2026-03-04"));
    }

    [Test]
    public async Task Upload_OtherKeyThanTheSessions_IsRefused()
    {
        var (owner, thief) = (NewKey(), NewKey());
        var hello = FakeAgent.MakeHello("a");
        var welcome = (await _fixture.Dial(_fixture.Join, owner).AttachAsync(hello)).Welcome;
        await AttachAsync("b", _fixture.Join, thief);
        var upload = new UploadHello { AgentId = "a", Incarnation = hello.Incarnation, SessionId = welcome.SessionId };

        var byThief = await _fixture.Dial(null, thief).UploadAsync(upload);
        var byLocal = await _fixture.DialSocket(_fixture.Local.Value).UploadAsync(upload);
        var byOwner = await _fixture.Dial(null, owner).UploadAsync(upload);

        Assert.Multiple(() =>
        {
            Assert.That(byThief.StatusCode, Is.EqualTo(StatusCode.PermissionDenied));
            Assert.That(byThief.Detail, Does.Contain("another key"));
            Assert.That(byLocal.StatusCode, Is.EqualTo(StatusCode.PermissionDenied));
            Assert.That(byOwner.StatusCode, Is.EqualTo(StatusCode.OK));
        });
    }

    [Test]
    public async Task Attach_OtherMajorVersion_IsRefusedInWordsAndBindsNothing()
    {
        var hello = FakeAgent.MakeHello("a");
        hello.Version = new() { Major = 99 };

        var answer = await _fixture.Dial(_fixture.Join, NewKey()).AttachAsync(hello);

        Assert.That(answer.Refusal?.Code, Is.EqualTo(Refusal.Types.Code.Version));
        Assert.That((await AttachAsync("a", _fixture.Join, NewKey())).Welcome, Is.Not.Null, "the identity is still nobody's");
    }

    [Test]
    public async Task Attach_RevokedJoinToken_EnrolsNobodyAnyMore()
    {
        var key = NewKey();
        await AttachAsync("a", _fixture.Join, key);
        new TokenFile(_fixture.State.Tokens).Change(tokens => tokens.RemoveAll(t => t.Name == "join"));

        Assert.That((await RefusalOfAsync("b", _fixture.Join, NewKey())).StatusCode, Is.EqualTo(StatusCode.Unauthenticated));
        Assert.That((await AttachAsync("a", null, key)).Welcome, Is.Not.Null, "who is enrolled stays enrolled");
    }

    [Test]
    public async Task ForgetAgent_Attached_IsRefusedAndLaterFreesTheIdentity()
    {
        var operatorClient = _fixture.Dial(_fixture.Operator).Control;
        var owner = _fixture.Dial(_fixture.Join, NewKey());
        await owner.AttachAsync(FakeAgent.MakeHello("a"));

        var attached = (await Assert.ThrowsAsync<RpcException>(async () => await operatorClient.ForgetAgentAsync(new() { Id = "a" })))!.Status;
        owner.Dispose();
        await UntilDetachedAsync("a");
        await operatorClient.ForgetAgentAsync(new() { Id = "a" });
        var listed = (await operatorClient.ListAgentsAsync(new())).Agents;
        var again = (await Assert.ThrowsAsync<RpcException>(async () => await operatorClient.ForgetAgentAsync(new() { Id = "a" })))!.Status;

        Assert.Multiple(() =>
        {
            Assert.That(attached.StatusCode, Is.EqualTo(StatusCode.FailedPrecondition));
            Assert.That(attached.Detail, Does.Contain("`a` is attached").And.Contain("host-of-a"));
            Assert.That(listed, Is.Empty);
            Assert.That(again.StatusCode, Is.EqualTo(StatusCode.NotFound));
        });
        Assert.That((await AttachAsync("a", _fixture.Join, NewKey())).Welcome, Is.Not.Null, "another key may have it now");
    }

    [Test]
    public async Task ListAgents_Always_TellsRoleVersionCapabilitiesAndWhenItWasHeard()
    {
        var hello = FakeAgent.MakeHello("a");
        hello.Role = AgentRole.Backend;
        await _fixture.Dial(_fixture.Join, NewKey()).AttachAsync(hello);
        _fixture.Time.Advance(TimeSpan.FromSeconds(3));

        var agent = (await _fixture.Dial(_fixture.Viewer).Control.ListAgentsAsync(new())).Agents.Single();

        Assert.Multiple(() =>
        {
            Assert.That(agent.Role, Is.EqualTo(AgentRole.Backend));
            Assert.That(agent.Version, Is.EqualTo(hello.Version));
            Assert.That(agent.Capabilities, Is.EquivalentTo(hello.Capabilities));
            Assert.That(agent.LastSeenTime.ToDateTimeOffset(), Is.EqualTo(_fixture.Now - TimeSpan.FromSeconds(3)));
        });
    }

    private X509Certificate2 NewKey() => TestCertificates.SelfSigned(_fixture.Now);

    private Task<AttachResponse> AttachAsync(string id, string? token, X509Certificate2 certificate)
    {
        // The same process life: it takes its own place without waiting for heartbeats.
        var hello = FakeAgent.MakeHello(id);
        hello.Incarnation = "life of " + CertificateNames.KeyFingerprint(certificate);
        return _fixture.Dial(token, certificate).AttachAsync(hello);
    }

    private async Task<Status> RefusalOfAsync(string id, string? token, X509Certificate2 certificate) =>
        (await Assert.ThrowsAsync<RpcException>(async () => await AttachAsync(id, token, certificate)))!.Status;

    private async Task UntilDetachedAsync(string id)
    {
        var until = Environment.TickCount64 + 60_000;
        while (_fixture.Host.Agents.Find(id)?.Session is not null && Environment.TickCount64 < until)
            await Task.Delay(10);
        Assert.That(_fixture.Host.Agents.Find(id)?.Session, Is.Null);
    }
}
