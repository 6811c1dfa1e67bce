using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.Docs;

/// <summary>What the README shows must work.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class ReadmeTests
{
    [Test]
    public void HaProxyConfiguration_OfTheWalkThrough_IsAcceptedByHaProxy()
    {
        var lines = ReadmeShell.Lines;
        var first = Array.IndexOf(lines, "    global");
        var configuration = lines.Skip(first).TakeWhile(l => l.StartsWith("    ", StringComparison.Ordinal)).Select(l => l[4..]);
        var path = Path.GetTempFileName();
        File.WriteAllLines(path, configuration);

        var (code, output, error) = Command.TryRun("haproxy", "-c", "-f", path);
        File.Delete(path);

        Assert.That(code, Is.Zero, output + error);
        Assert.That(error, Does.Not.Contain("WARNING"));
    }

    [Test]
    public void Paths_ThatAreNamed_Exist()
    {
        var named = string.Join('\n', ReadmeShell.Lines).Split(['(', ')', '`', ' ', '\n'])
            .Where(w => w.StartsWith("docs/", StringComparison.Ordinal) || w.StartsWith("deploy/", StringComparison.Ordinal)
                || w.StartsWith("tests/", StringComparison.Ordinal) || w is "src/Coordinator" or "src/Agent")
            .Distinct().ToList();

        Assert.That(named, Has.Count.GreaterThan(3));
        Assert.That(named.Where(n => !Path.Exists(Path.Combine(Programs.Root, n))), Is.Empty);
    }
}
