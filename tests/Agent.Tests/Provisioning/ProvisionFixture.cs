using System.Collections.Concurrent;
using System.Net;
using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Provisioning;
using LoadHarness.Agent.Safety;
using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.Agent.Tests.Provisioning;

/// <summary>A host with provisioners on it, each as in a process of its own.</summary>
internal sealed class ProvisionFixture(NetworkNamespace host) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("loadharness-test-").FullName;

    /// <summary>What provisioners warned of.</summary>
    public ConcurrentQueue<string> Warnings { get; } = [];

    /// <summary>What `ip address` says, whether or not the link's own address has been probed by now.</summary>
    public string Addresses => host.Ip("-o", "address", "show").Replace(" tentative", "", StringComparison.Ordinal);

    /// <summary>Journals on disk.</summary>
    public int Journals => Directory.Exists(Path.Combine(_folder, "p")) ? Directory.GetFiles(Path.Combine(_folder, "p")).Length : 0;

    /// <summary>Keeps a copy of the only journal, which nobody locks.</summary>
    public void CopyJournal() => Command.Run("cp", Directory.GetFiles(Path.Combine(_folder, "p")).Single(), Path.Combine(_folder, "p", "killed.journal"));

    /// <summary>A provisioner that may add what is named.</summary>
    public SourceProvisioner Create(params string[] allowed) => host.Enter(() => new SourceProvisioner(
        AllowProvision.TryParse(allowed, out var parsed, out var errors) ? parsed : throw new AssertionException(errors[0]),
        Path.Combine(_folder, "p"), NamespaceIdentity.Read(), Warnings.Enqueue));

    /// <summary>Has addresses added, or waited for.</summary>
    public ProvisionRefusal? Provide(SourceProvisioner provisioner, params ProvisionWork[] wanted) =>
        host.Enter(() => new Answer(provisioner.Provide([.. wanted], () => false))).Refusal;

    /// <summary>Runs something in the host.</summary>
    public void Do(Action action) => host.Enter(() =>
    {
        action();
        return true;
    });

    /// <summary>Addresses of one range.</summary>
    public static ProvisionWork Work(string first, long count, string device, int prefixLength, bool owner = true) =>
        new([new IpRange(Address(first), count)], device, prefixLength, owner);

    public static IpAddress Address(string text) => IpAddress.FromBytes(IPAddress.Parse(text).GetAddressBytes());

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private sealed record Answer(ProvisionRefusal? Refusal);
}
