using LoadHarness.Agent.Link;
using LoadHarness.V1;

namespace LoadHarness.Agent.Tests.Link;

/// <content>How it ends: by leaving, or by a refusal.</content>
public partial class AgentLinkTests
{
    [Test]
    public async Task Leave_WithSamplesLeft_SendsThemBeforeGoodbye()
    {
        Join();
        await AttachedAsync();
        for (var i = 0; i < 200; i++)
            _outbox.Add(Second(i));

        _link!.Leave("test ends");
        await _running.WaitAsync(TimeSpan.FromMilliseconds(PatienceMillis));

        Assert.That(_coordinator.Goodbyes, Is.EqualTo(new[] { "test ends" }));
        Assert.That(_coordinator.Samples.Select(s => s.Sequence).Distinct().Count(), Is.EqualTo(200));
    }

    [Test]
    public async Task StopTakingAssignments_OneComesAfterwards_IsPassedOver()
    {
        Join();
        await AttachedAsync();
        _link!.StopTakingAssignments();

        await _coordinator.SendAsync(WireSamples.Assignment());

        var heartbeats = _coordinator.Heartbeats.Count;
        Assert.That(() => _coordinator.Heartbeats.Count, Is.GreaterThan(heartbeats + 3).After(PatienceMillis, 10), "the link goes on");
        Assert.That(_runner.Applied, Is.Empty);
        Assert.That(_coordinator.Statuses, Is.Empty);
    }

    [Test]
    public async Task Leave_NobodyToSayItTo_ReturnsAtOnce()
    {
        await _coordinator.StopAsync();
        Join();
        await Task.Delay(50);

        _link!.Leave("test ends");

        Assert.That(async () => await _running.WaitAsync(TimeSpan.FromMilliseconds(PatienceMillis)), Throws.Nothing);
        await _coordinator.StartAsync();
    }

    [Test]
    public void RunAsync_Refused_SaysTheCoordinatorsWords()
    {
        _coordinator.Refusal = new() { Code = Refusal.Types.Code.IdentityInUse, Message = "agent-1 is process 77 on host b" };

        Join();

        Assert.That(async () => await _running,
            Throws.InstanceOf<LinkRefusedException>().With.Message.EqualTo("agent-1 is process 77 on host b"));
    }

    [Test]
    public void RunAsync_ShuttingDown_TriesAgain()
    {
        _coordinator.Refusal = new() { Code = Refusal.Types.Code.ShuttingDown, Message = "going away" };
        Join();
        Assert.That(() => _coordinator.Hellos.Count, Is.GreaterThan(1).After(PatienceMillis, 10));

        _coordinator.Refusal = null;

        Assert.That(() => _coordinator.Heartbeats.Count, Is.Positive.After(PatienceMillis, 10));
    }

    [Test]
    public void RunAsync_WrongCredential_IsRefused()
    {
        _coordinator.Credential = "another";

        Join();

        Assert.That(async () => await _running, Throws.InstanceOf<LinkRefusedException>().With.Message.Contains("wrong credential"));
    }

    [Test]
    public void RunAsync_CredentialOpenToOthers_IsRefused()
    {
        File.SetUnixFileMode(_coordinator.CredentialPath, UnixFileMode.UserRead | UnixFileMode.OtherRead);

        Join();

        Assert.That(async () => await _running, Throws.InstanceOf<LinkRefusedException>().With.Message.Contains("chmod 600"));
    }
}
