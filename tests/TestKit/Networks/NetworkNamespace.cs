using System.Globalization;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.TestKit.Networks;

/// <summary>
/// A network namespace of its own for one test: ports, addresses and TIME-WAIT of others do not exist in it. It goes
/// away when it is disposed, with every process in it; what a test run left behind that was killed, the next one removes.
/// </summary>
public sealed class NetworkNamespace : IDisposable
{
    private const string Prefix = "loadharness-test-";

    private static readonly Lock _gate = new();
    private static bool _cleaned;
    private static int _last;

    private NetworkNamespace(string name) => Name = name;

    /// <summary>As <c>ip netns</c> lists it.</summary>
    public string Name { get; }

    /// <summary>The file that stands for it.</summary>
    public string Path => $"/var/run/netns/{Name}";

    /// <summary>Makes one with its loopback up. Wants CAP_SYS_ADMIN.</summary>
    public static NetworkNamespace Create()
    {
        lock (_gate)
        {
            if (!_cleaned)
                RemoveLeftovers();
            _cleaned = true;
        }

        var name = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Environment.ProcessId}-{Interlocked.Increment(ref _last)}");
        Command.Run("ip", "netns", "add", name);
        var created = new NetworkNamespace(name);
        created.Ip("link", "set", "lo", "up");
        return created;
    }

    /// <summary>Runs <c>ip</c> in it.</summary>
    public string Ip(params string[] arguments) => Command.Run("ip", ["-n", Name, .. arguments]);

    /// <summary>Runs a program in it.</summary>
    public string Exec(string program, params string[] arguments) => Command.Run("nsenter", [$"--net={Path}", program, .. arguments]);

    /// <summary>Runs code in it: sockets made there stay there, whoever uses them later. The code must not await.</summary>
    public T Enter<T>(Func<T> action)
    {
        T result = default!;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Native.EnterNamespace(Path);
                result = action();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        return failure is null ? result : throw new InvalidOperationException($"in namespace {Name}: {failure.Message}", failure);
    }

    /// <summary>Sets a sysctl below net of this namespace: <c>net.ipv4.ip_local_port_range</c>.</summary>
    public void SetSysctl(string name, string value) => Enter(() =>
    {
        File.WriteAllText(SysctlPath(name), value);
        return true;
    });

    /// <summary>Reads a sysctl of this namespace.</summary>
    public string Sysctl(string name) => Enter(() => File.ReadAllText(SysctlPath(name)).Trim());

    /// <summary>Adds an address to a device.</summary>
    /// <param name="prefix">With its length: <c>10.1.0.1/24</c>.</param>
    /// <param name="device">Its name.</param>
    public void AddAddress(string prefix, string device = "lo") => Ip("address", "add", prefix, "dev", device, "nodad");

    /// <summary>Joins two namespaces by a pair of devices with one address each.</summary>
    /// <param name="prefix">Ours.</param>
    /// <param name="other">The other namespace.</param>
    /// <param name="otherPrefix">Its address in the same network.</param>
    /// <returns>The name of both devices.</returns>
    public string Connect(string prefix, NetworkNamespace other, string otherPrefix)
    {
        var device = string.Create(CultureInfo.InvariantCulture, $"lh{Interlocked.Increment(ref _last)}");
        Ip("link", "add", device, "type", "veth", "peer", "name", device, "netns", other.Name);
        AddAddress(prefix, device);
        other.AddAddress(otherPrefix, device);
        Ip("link", "set", device, "up");
        other.Ip("link", "set", device, "up");
        return device;
    }

    /// <summary>Routes a network to where nobody answers and nobody refuses: packets are lost in silence.</summary>
    /// <param name="source">The address to reach it from, with its length.</param>
    /// <param name="lost">An address in the same network.</param>
    public void LosePackets(string source, string lost)
    {
        var number = Interlocked.Increment(ref _last).ToString(CultureInfo.InvariantCulture);
        Ip("link", "add", $"lost{number}", "type", "veth", "peer", "name", $"void{number}");
        AddAddress(source, $"lost{number}");
        Ip("link", "set", $"lost{number}", "up");
        Ip("link", "set", $"void{number}", "up");

        // A neighbour whose hardware address nobody has.
        Ip("neighbour", "add", lost, "lladdr", "02:00:00:00:00:01", "dev", $"lost{number}", "nud", "permanent");
    }

    /// <summary>Removes it and ends every process that is still in it.</summary>
    public void Dispose() => Remove(Name);

    private static void Remove(string name)
    {
        foreach (var pid in Command.TryRun("ip", "netns", "pids", name).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            Native.TryKill(int.Parse(pid, CultureInfo.InvariantCulture), (int)Signal.Kill);
        Command.TryRun("ip", "netns", "delete", name);
    }

    /// <summary>Namespaces carry the id of the test process that made them: they are removed once that is no test process any more.</summary>
    private static void RemoveLeftovers()
    {
        foreach (var line in Command.Run("ip", "netns", "list").Split('\n'))
        {
            var name = line.Split(' ')[0];
            if (!name.StartsWith(Prefix, StringComparison.Ordinal))
                continue;
            var owner = int.Parse(name[Prefix.Length..].Split('-')[0], CultureInfo.InvariantCulture);
            if (!IsTestProcess(owner) || owner == Environment.ProcessId)
                Remove(name);
        }
    }

    private static bool IsTestProcess(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline").Contains("testhost", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static string SysctlPath(string name) => $"/proc/sys/{name.Replace('.', '/')}";
}
