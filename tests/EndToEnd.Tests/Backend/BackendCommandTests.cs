using LoadHarness.EndToEnd.Tests.Benches;

namespace LoadHarness.EndToEnd.Tests.Backend;

[Parallelizable(ParallelScope.All)]
public sealed class BackendCommandTests : BenchTest
{
    [Test]
    public async Task Listen_PortsTaken_NamesEachWithCauseAndRemedy()
    {
        await Bench.BackendAsync("127.0.0.1:9001-9002");

        var second = await Bench.FinishAsync(Bench.Agent("backend", "--listen", "127.0.0.1:9000-9003"), Bench.Soon);

        Assert.That(second.ExitCode, Is.EqualTo(2), second.Log);
        Assert.That(second.Error, Does.Contain("127.0.0.1:9001").And.Contain("127.0.0.1:9002").And.Not.Contain("127.0.0.1:9003"));
        Assert.That(second.Error, Does.Contain("taken").And.Contain("ss -ltnp"));
        Assert.That(second.Log, Does.Not.Contain("   at "));
    }

    [Test]
    public async Task Listen_AddressThatIsNotHere_SaysSo()
    {
        var backend = await Bench.FinishAsync(Bench.Agent("backend", "--listen", "192.0.2.7:9000"), Bench.Soon);

        Assert.That(backend.ExitCode, Is.EqualTo(2), backend.Log);
        Assert.That(backend.Error, Does.Contain("192.0.2.7").And.Contain("no address").And.Contain("ip addr"));
        Assert.That(backend.Log, Does.Not.Contain("   at "));
    }

    [TestCase("127.0.0.1:0", "0")]
    [TestCase("127.0.0.1:70000", "70000")]
    [TestCase("127.0.0.1", "127.0.0.1")]
    [TestCase("nonsense", "nonsense")]
    public async Task Listen_WrongText_NamesIt(string listen, string named)
    {
        var backend = await Bench.FinishAsync(Bench.Agent("backend", "--listen", listen), Bench.Soon);

        Assert.That(backend.ExitCode, Is.EqualTo(2), backend.Log);
        Assert.That(backend.Error, Does.Contain("--listen").And.Contain(named));
        Assert.That(backend.Log, Does.Not.Contain("   at "));
    }

    [Test]
    public async Task Backend_AskedToEnd_PrintsItsCounts()
    {
        var backend = await Bench.BackendAsync("127.0.0.1:9000", "--http");
        Bench.Namespace.Exec("curl", "-sS", "http://127.0.0.1:9000/");

        backend.Send(TestKit.Processes.Signal.Terminate);
        var ended = await Bench.FinishAsync(backend, Bench.Soon);

        Assert.That(ended.ExitCode, Is.Zero, ended.Log);
        Assert.That(ended.Log, Does.Contain("accepted 1, closed 1, requests 1"));
    }
}
