using System.Collections.Immutable;
using CsCheck;
using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Preflight.Checks;
using LoadHarness.V1;
using HostCheck = LoadHarness.Agent.Preflight.HostCheck;
using HostNeed = LoadHarness.Agent.Preflight.HostNeed;
using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Agent.Tests.Preflight.Checks;

/// <summary>What holds for all checks together, whatever a host says.</summary>
public class HostChecksTests
{
    private static readonly string[] _odd = ["", "-1", "1e9", "99999999999999999999999", "\0", "0", "1-2-3,,9", "65535-1", "\u0661\u0662"];

    private static readonly Gen<string?> _text = Gen.OneOf(
        Gen.Const((string?)null),
        Gen.String.Select(t => (string?)t),
        Gen.Long.Select(n => (string?)$"{n}"),
        Gen.ULong.Array[1, 4].Select(n => (string?)string.Join('\t', n)),
        Gen.Int[0, _odd.Length - 1].Select(i => (string?)_odd[i]));

    private static readonly Gen<HostNeed> _need = Gen.Select(Gen.Long, Gen.Bool, Gen.Double, Gen.Double, Gen.Bool, Gen.Long)
        .Select((connections, both, rate, closes, accepts, tuples) => new HostNeed
        {
            Connections = connections,
            BothEnds = both,
            ConnectsPerSecond = rate,
            ClosesPerSecond = closes,
            Accepts = accepts,
            Tuples = tuples,
        });

    [Test]
    public void Of_WhateverFilesSay_AnswersEachCheckOnce() => Gen.Select(_text.Array[40], _need, Gen.Bool).Sample((texts, need, asked) =>
    {
        var next = 0;
        var host = HostFacts.Read(_ => texts[next++ % texts.Length]) with { DescriptorLimit = texts.Length, UnshareErrno = next % 2, Tracking = asked };

        var checks = HostChecks.Of(host, asked ? need : null);

        Assert.That(checks.Select(c => c.Name), Is.Unique);
        Assert.That(checks.Where(c => !(c.Value.Length > 0 && c.Verdict != Verdict.Unspecified)), Is.Empty);
        Assert.That(checks.Where(c => !(c.Value.Length < 400 && c.Needed.Length < 400)), Is.Empty);
        Assert.That(asked || checks.All(c => c.Verdict != Verdict.Error), "without a need nothing is an error");
        Assert.That(checks.Where(c => !(c.Verdict is not (Verdict.Warning or Verdict.Error) || c.Remedy.Length > 0)), Is.Empty);
    });

    [Test]
    public void Of_NothingReadable_IsUnknownAndNotAnError()
    {
        var checks = HostChecks.Of(HostFacts.Read(_ => null) with { DescriptorLimit = 1024, Cores = 1 }, Hosts.Million);

        var known = checks.Where(c => c.Verdict != Verdict.Unknown).Select(c => c.Name);
        Assert.That(known, Is.EquivalentTo(new[] { "RLIMIT_NOFILE", "conntrack", "cores", "kernel" }));
        Assert.That(checks.Single(c => c.Name == "net.ipv4.tcp_mem").Remedy, Is.EqualTo("on the host: sysctl net.ipv4.tcp_mem"));
    }

    [Test]
    public void Of_WhatIsSetAsTheRemediesSay_IsWell() => _need.Sample(need =>
    {
        var host = Hosts.Usual with { Tracking = true };
        foreach (var (name, value) in HostChecks.Of(host, need).SelectMany(c => c.Sysctls))
            host = Hosts.With(name, value, host);

        var left = HostChecks.Of(host, need).Where(c => !c.Sysctls.IsEmpty && c.Name != "net.ipv4.tcp_mem");
        Assert.That(left.Select(c => $"{c.Name} {c.Value} {c.Needed} {c.Remedy}"), Is.Empty);
    });

    [Test]
    public void Of_HostWhereItCannotBeSet_PointsToTheHost()
    {
        var host = Hosts.Usual with { Fixed = [Sysctl.FileMax] };

        var check = FileMaxCheck.Check(host, new() { Connections = 3_000_000 });

        Assert.That(check.Remedy, Does.StartWith("on the host: sysctl -w fs.file-max="));
    }

    [Test]
    public void ToFinding_SpeaksOfWhatIsNotWell()
    {
        var check = TimeWaitBucketsCheck.Check(Hosts.Usual, null);

        Assert.That(check.ToFinding()!.Severity, Is.EqualTo(Finding.Types.Severity.Info));
        Assert.That(check.ToFinding()!.Message, Does.StartWith("net.ipv4.tcp_max_tw_buckets is 131,072; ").And.EndWith($"; {check.Remedy}"));
        Assert.That((check with { Verdict = Verdict.Ok }).ToFinding(), Is.Null);
        Assert.That((check with { Verdict = Verdict.Unknown }).ToFinding(), Is.Null);
    }

    [Test]
    public void Read_ControlGroupAndDrops_AreFound()
    {
        var files = new Dictionary<string, string>
        {
            ["/proc/self/cgroup"] = "0::/system.slice/agent.service",
            ["/sys/fs/cgroup/system.slice/agent.service/memory.max"] = "1000",
            ["/sys/fs/cgroup/system.slice/agent.service/memory.current"] = "400",
            ["/proc/net/softnet_stat"] = "00000001 0000000a 0 0\n00000001 00000001 0 0",
            ["/proc/thread-self/net/sockstat"] = "sockets: used 30\nTCP: inuse 1 orphan 0 tw 0 alloc 1 mem 161",
        }.ToImmutableDictionary();

        var host = HostFacts.Read(files.GetValueOrDefault);

        Assert.That((host.GroupMemoryLeft, host.BacklogDrops, host.TcpPages), Is.EqualTo((600L, 11L, 161L)));
    }

    [Test]
    public void Run_OnThisHost_SaysNothingIsAnErrorWithoutANeed() =>
        Assert.That(HostChecks.Run(null).Where(c => c.Verdict == Verdict.Error), Is.Empty);
}
