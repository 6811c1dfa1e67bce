using System.Globalization;
using System.Text;

namespace LoadHarness.TestKit.Processes;

/// <summary>Processes that share a mark in their environment: a program and all that it started, orphans included.</summary>
/// <param name="mark">Used once on this machine.</param>
internal sealed class ProcessFamily(string mark)
{
    public const string Variable = "LOADHARNESS_TESTKIT_FAMILY";

    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(2);

    public string Mark => mark;

    /// <summary>Those that run now. One that ended and was not waited for has no environment any more and is not among them.</summary>
    public IReadOnlyList<ProcessEntry> Members()
    {
        var wanted = Encoding.ASCII.GetBytes($"{Variable}={mark}\0");
        var members = new List<ProcessEntry>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
                continue;
            try
            {
                if (File.ReadAllBytes($"{directory}/environ").AsSpan().IndexOf(wanted) >= 0)
                    members.Add(new(pid, ReadArguments(directory)));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It has ended, or is not ours to look into.
            }
        }

        return members;
    }

    /// <summary>Kills them all and returns when none is left: sockets of many connections take a while.</summary>
    /// <param name="first">Killed first, so that it cannot start others or report their deaths.</param>
    public async Task KillAsync(int first)
    {
        for (var end = DateTime.UtcNow + _patience; DateTime.UtcNow < end; await Task.Delay(20))
        {
            var left = Members();
            if (left.Count == 0)
                return;
            foreach (var member in left.OrderByDescending(m => m.Pid == first))
                Native.TryKill(member.Pid, (int)Signal.Kill);
        }

        throw new TimeoutException($"these processes do not end: {string.Join("; ", Members())}");
    }

    private static string[] ReadArguments(string directory) =>
        File.ReadAllText($"{directory}/cmdline").Split('\0', StringSplitOptions.RemoveEmptyEntries);
}
