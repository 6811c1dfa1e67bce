using System.Net;
using System.Net.Sockets;
using LoadHarness.Agent.Preflight;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Tests.Preflight;

[Parallelizable(ParallelScope.All)]
public sealed class NameLookupTests
{
    private static readonly TimeSpan _long = TimeSpan.FromSeconds(60);

    [Test]
    public void Resolve_BothFamilies_GivesEachAddressOnceIPv4First()
    {
        var lookup = new NameLookup(_ => [.. new[] { "::2", "10.0.0.9", "::1", "10.0.0.1", "10.0.0.9", "::ffff:10.0.0.5" }.Select(IPAddress.Parse)], _long);

        var answer = lookup.Resolve(["a"]).Single();

        Assert.That(answer.Addresses.Select(a => a.ToString()), Is.EqualTo(new[] { "10.0.0.1", "10.0.0.5", "10.0.0.9", "::1", "::2" }));
        Assert.That(answer.Error, Is.Empty);
    }

    [Test]
    public void Resolve_ManyNames_AnswersInTheirOrder()
    {
        var lookup = new NameLookup(name => [new IPAddress(int.Parse(name))], _long);
        string[] names = [.. Enumerable.Range(1, 300).Select(i => $"{i}")];

        Assert.That(lookup.Resolve(names).Select(a => (a.Name, a.Addresses.Single())),
            Is.EqualTo(names.Select(n => (n, IpAddress.From(new IPAddress(int.Parse(n)))))));
    }

    [Test]
    public void Resolve_NoSuchNameOrNoAddress_SaysSo()
    {
        var lookup = new NameLookup(name => name switch
        {
            "missing" => throw new SocketException((int)SocketError.HostNotFound),
            "too long" => throw new ArgumentOutOfRangeException(nameof(name), "too long"),
            _ => [],
        }, _long);

        var answers = lookup.Resolve(["missing", "too long", "empty"]);

        Assert.That(answers.Select(a => a.Addresses.Length), Is.All.Zero);
        Assert.That(answers.Select(a => a.Error), Is.All.Not.Empty);
    }

    [Test]
    public void Resolve_OneNameHangs_AnswersTheOthers()
    {
        // Not disposed: a thread that comes late still looks at it.
        var release = new ManualResetEventSlim();
        var lookup = new NameLookup(
            name =>
            {
                if (name == "hangs")
                    release.Wait();
                return [IPAddress.Loopback];
            },
            TimeSpan.FromSeconds(5));

        var answers = lookup.Resolve(["hangs", "answers"]);
        release.Set();

        Assert.That((answers[0].Error, answers[0].Addresses.Length), Is.EqualTo(("no answer within 5 s", 0)));
        Assert.That(answers[1].Addresses.Single().ToString(), Is.EqualTo("127.0.0.1"));
    }

    [Test]
    public void Resolve_ThisHost_KnowsLocalhostAndLiterals()
    {
        var answers = NameLookup.OfHost.Resolve(["localhost", "127.0.0.7"]);

        Assert.That(answers[0].Addresses.Select(a => a.ToString()), Does.Contain("127.0.0.1").Or.Contain("::1"));
        Assert.That(answers[1].Addresses.Single().ToString(), Is.EqualTo("127.0.0.7"));
    }
}
