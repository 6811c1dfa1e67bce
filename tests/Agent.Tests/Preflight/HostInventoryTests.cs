using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using LoadHarness.Agent.Preflight;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Tests.Preflight;

/// <summary>What the inventory says against what this host's own tools say.</summary>
public class HostInventoryTests
{
    private readonly HostInventory _inventory = HostInventory.Read();

    [Test]
    public void Read_Kernel_IsWhatUnameSays() => Assert.That(_inventory.KernelRelease, Is.EqualTo(Shell("uname -r")));

    [Test]
    public void Read_Hostname_IsWhatUnameSays() => Assert.That(_inventory.Hostname, Is.EqualTo(Shell("uname -n")));

    [Test]
    public void Read_Cores_IsWhatNprocSays() => Assert.That(_inventory.Cores, Is.EqualTo(Number("nproc")));

    [Test]
    public void Read_DescriptorLimit_IsTheHardOne() => Assert.That(_inventory.DescriptorLimit, Is.EqualTo(Number("ulimit -Hn")));

    [Test]
    public void Read_ConnectionsPerReactor_LeavesRoomForTheProcess() =>
        Assert.That(_inventory.ConnectionsPerReactor, Is.Positive.And.EqualTo(Math.Max(1, _inventory.DescriptorLimit - 200)));

    [Test]
    public void Read_EphemeralPorts_AreTheSysctls()
    {
        var words = Shell("cat /proc/sys/net/ipv4/ip_local_port_range").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        Assert.That(_inventory.EphemeralPorts, Is.EqualTo(new PortSpan(Parse(words[0]), Parse(words[1]))));
    }

    [Test]
    public void Read_TimeWaitBuckets_AreTheSysctls() =>
        Assert.That(_inventory.MaxTimeWaitBuckets, Is.EqualTo(Number("cat /proc/sys/net/ipv4/tcp_max_tw_buckets")));

    [Test]
    public void Read_Addresses_AreThoseOfTheInterfaces()
    {
        var wanted = Shell("ip -o addr show up | awk '$3 ~ /inet/ {print $4 \" \" $2}' | grep -v ^fe80")
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.That(_inventory.Addresses.Select(a => $"{a.Address}/{a.PrefixLength} {a.Device}"), Is.SupersetOf(wanted.Select(WithPrefix)));
        Assert.That(_inventory.Addresses.Select(a => a.Address), Has.Member(IpAddress.From(IPAddress.Loopback)));
    }

    [Test]
    public void Read_NetworkNamespace_IsTheSameAgainAndAnotherElsewhere()
    {
        Assert.That(HostInventory.Read().NetworkNamespace, Is.EqualTo(_inventory.NetworkNamespace));
        Assert.That(_inventory.NetworkNamespace, Does.StartWith(Shell("cat /proc/sys/kernel/random/boot_id")));
    }

    [Test]
    public void Read_AListener_IsAmongTheListeningPorts()
    {
        using var v4 = Listen(IPAddress.Loopback);
        using var v6 = Listen(IPAddress.IPv6Loopback);

        var ports = HostInventory.Read().ListeningPorts;

        foreach (var socket in new[] { v4, v6 })
            Assert.That(ports.Count(p => p.Contains(((IPEndPoint)socket.LocalEndPoint!).Port)), Is.EqualTo(1));
        Assert.That(ports.Zip(ports.Skip(1)).All(p => p.First.Last + 1 < p.Second.First), Is.True, "in order, and joined where they touch");
    }

    [Test]
    public void Read_MemoryFree_IsPositiveAndBelowTheTotal()
    {
        var total = ProcFile.ParseMeminfo(File.ReadAllText("/proc/meminfo"), "MemTotal")!.Value;

        Assert.That(_inventory.MemoryFreeBytes, Is.Positive.And.LessThan(total));
    }

    private static Socket Listen(IPAddress address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(address, 0));
        socket.Listen();
        return socket;
    }

    /// <summary>`ip` leaves the prefix out for point-to-point peers only; everything else carries it.</summary>
    private static string WithPrefix(string line)
    {
        var (cidr, device) = (line.Split(' ')[0], line.Split(' ')[1]);
        var parts = cidr.Split('/');
        var address = IPAddress.Parse(parts[0]);
        return $"{address}/{(parts.Length > 1 ? parts[1] : address.AddressFamily == AddressFamily.InterNetwork ? "32" : "128")} {device}";
    }

    private static int Number(string command) => Parse(Shell(command));

    private static int Parse(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static string Shell(string command)
    {
        using var process = Process.Start(new ProcessStartInfo("bash", ["-c", command]) { RedirectStandardOutput = true })!;
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return text.Trim();
    }
}
