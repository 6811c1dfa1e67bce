using LoadHarness.EndToEnd.Tests.Benches;

namespace LoadHarness.EndToEnd.Tests.CommandLine;

[Parallelizable(ParallelScope.All)]
public sealed class HelpTests : BenchTest
{
    [Test]
    public async Task NoArguments_ShowsFourLinesWithExamples()
    {
        var result = await Bench.RunAsync("", Bench.Soon);

        Assert.That(result.ExitCode, Is.Zero, result.Log);
        Assert.That(result.Output.TrimEnd().Split('\n'), Has.Length.EqualTo(4));
        Assert.That(result.Output, Does.Contain("loadharness demo").And.Contain("loadharness run "));
    }

    [TestCase("demo")]
    [TestCase("run")]
    [TestCase("runs list")]
    [TestCase("runs show")]
    [TestCase("runs watch")]
    [TestCase("runs scale")]
    [TestCase("runs reconnect")]
    [TestCase("runs stop")]
    [TestCase("agents list")]
    [TestCase("agents forget")]
    [TestCase("serve")]
    [TestCase("certs init")]
    [TestCase("certs issue server")]
    [TestCase("certs issue agent")]
    [TestCase("certs list")]
    [TestCase("tokens create")]
    [TestCase("tokens list")]
    [TestCase("tokens revoke")]
    public async Task Help_OfEachVerb_HasAnExample(string verb)
    {
        var result = await Bench.RunAsync($"{verb} --help", Bench.Soon);

        Assert.That(result.ExitCode, Is.Zero, result.Log);
        Assert.That(result.Output, Does.Match($"Examples?:\\s+loadharness {verb}").And.Contain("--json"));
    }
}
