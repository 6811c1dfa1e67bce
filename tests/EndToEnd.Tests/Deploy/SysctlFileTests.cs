using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.Deploy;

[Parallelizable(ParallelScope.All)]
public sealed class SysctlFileTests
{
    private static readonly string[] _lines = File.ReadAllLines(Path.Combine(Programs.Root, "deploy", "sysctl.d", "90-loadharness.conf"));

    [TestCaseSource(nameof(Settings))]
    public void Setting_OfTheFile_IsKnownToTheKernelAndHasAReason(int line)
    {
        var (name, _, optional) = Parse(_lines[line]);
        var group = line;
        while (_lines[group - 1].Length > 0 && !_lines[group - 1].StartsWith('#'))
            group--;

        Assert.That(_lines[group - 1], Does.StartWith("# "), "a reason stands above it");
        Assert.That(optional || File.Exists($"/proc/sys/{name.Replace('.', '/')}"), Is.True, name);
    }

    [Test]
    public void Settings_OfANamespace_AreAcceptedByIt()
    {
        using var space = NetworkNamespace.Create();
        var applied = 0;
        foreach (var (name, value, _) in _lines.Where(IsSetting).Select(Parse))
        {
            // The others belong to the whole machine, and the tests leave that alone.
            if (name is not ("net.core.somaxconn" or "net.ipv4.tcp_max_syn_backlog" or "net.ipv4.tcp_max_tw_buckets"))
                continue;
            space.SetSysctl(name, value);
            Assert.That(space.Sysctl(name), Is.EqualTo(value));
            applied++;
        }

        Assert.That(applied, Is.EqualTo(3));
    }

    private static IEnumerable<int> Settings => Enumerable.Range(0, _lines.Length).Where(i => IsSetting(_lines[i]));

    private static bool IsSetting(string line) => line.Length > 0 && !line.StartsWith('#');

    private static (string Name, string Value, bool Optional) Parse(string line)
    {
        var parts = line.TrimStart('-').Split('=', 2);
        return (parts[0].Trim(), parts[1].Trim(), line.StartsWith('-'));
    }
}
