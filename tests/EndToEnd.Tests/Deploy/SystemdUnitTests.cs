using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.Deploy;

[Parallelizable(ParallelScope.All)]
public sealed class SystemdUnitTests
{
    private static readonly string _folder = Path.Combine(Programs.Root, "deploy", "systemd");

    private static IEnumerable<string> Units => Directory.GetFiles(_folder, "*.service").Select(Path.GetFileName)!;

    [TestCaseSource(nameof(Units))]
    public void Unit_OfTheFolder_KeepsStateToItselfAndHasAnEnd(string unit)
    {
        var settings = File.ReadAllLines(Path.Combine(_folder, unit)).Where(l => l.Contains('=') && !l.StartsWith('#'))
            .Select(l => l.Split('=', 2)).ToLookup(p => p[0], p => p[1]);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(settings["StateDirectoryMode"], Is.EqualTo(new[] { "0700" }));
            Assert.That(settings["KillSignal"], Is.EqualTo(new[] { "SIGTERM" }));
            Assert.That(int.Parse(settings["TimeoutStopSec"].Single()), Is.GreaterThan(68), "a drain of two million connections");
            Assert.That(settings["LimitNOFILE"], Is.Empty);
            Assert.That(settings["ExecStart"].Single(), Does.StartWith($"/usr/local/bin/{Path.GetFileNameWithoutExtension(unit)} "));
        }
    }

    [TestCaseSource(nameof(Units))]
    public void Unit_OfTheFolder_IsUnderstoodBySystemd(string unit)
    {
        var directory = Directory.CreateTempSubdirectory("lh-units-");
        try
        {
            // Programs that are not installed are found fault with.
            var copy = Path.Combine(directory.FullName, unit);
            File.WriteAllText(copy, File.ReadAllText(Path.Combine(_folder, unit)).Replace(
                $"/usr/local/bin/{Path.GetFileNameWithoutExtension(unit)}", "/bin/true", StringComparison.Ordinal));

            var (code, output, error) = Command.TryRun("systemd-analyze", "verify", copy);

            Assert.That((code, output + error), Is.EqualTo((0, "")));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
