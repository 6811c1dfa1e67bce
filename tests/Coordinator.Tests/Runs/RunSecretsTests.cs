using System.Text;
using Google.Protobuf;
using LoadHarness.Coordinator.Runs;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.Coordinator.Tests.LocalFleet;
using LoadHarness.V1;
using RunState = LoadHarness.V1.RunState;

namespace LoadHarness.Coordinator.Tests.Runs;

/// <summary>Client keys: for the owner alone, in no row and no log, there after a restart and gone after the run.</summary>
public sealed class RunSecretsTests
{
    private const string Secret = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj";
    private static readonly byte[] _key = Encoding.UTF8.GetBytes($"caf\u00e9\n-----BEGIN PRIVATE KEY-----\n{Secret}\n-----END PRIVATE KEY-----\n");

    // As JSON would have a part of it.
    private static readonly string _encoded = Convert.ToBase64String(_key)[40..80];
    private static readonly byte[] _certificate = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n"u8.ToArray();

    private static readonly Coordinator.Specs.RunSpec _spec = new()
    {
        Targets = [],
        Connections = 1,
        Transport = new(new TlsSpec { Certificate = _certificate, Key = _key }, null, new()),
    };

    [Test]
    public void Keep_AKey_IsReadBackByteForByteAndForTheOwnerAlone()
    {
        using var directory = new TemporaryDirectory();
        var folder = directory.File("keys");
        var secrets = new RunSecrets(folder);
        secrets.Keep("r1", _spec);
        var read = new RunSecrets(folder).AddTo(StoredText.ReadSpec(StoredText.Write(_spec)), "r1");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(read.Transport.Tls!.Key.ToArray(), Is.EqualTo(_key));
            Assert.That(File.GetUnixFileMode(Path.Combine(folder, "r1.pem")), Is.EqualTo(SafeFile.OwnerOnly));
            Assert.That(File.GetUnixFileMode(folder), Is.EqualTo(SafeFile.OwnerOnlyDirectory));
        }

        secrets.Remove("r1");
        Assert.That(Directory.GetFiles(folder), Is.Empty);
    }

    [Test]
    public void Keep_NoKey_MakesNothing()
    {
        using var directory = new TemporaryDirectory();
        var secrets = new RunSecrets(directory.File("keys"));
        secrets.Keep("r1", _spec with { Transport = TransportSpec.Plain });
        secrets.Remove("r1");
        secrets.KeepOnly(new HashSet<string>());
        Assert.That(Directory.GetFileSystemEntries(directory.Path), Is.Empty);
        Assert.That(secrets.AddTo(_spec with { Transport = TransportSpec.Plain }, "r1").Transport, Is.EqualTo(TransportSpec.Plain));
    }

    [Test]
    public void Keep_WhereItCannotBe_IsSaid()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.File("keys"), "");
        Assert.That(() => new RunSecrets(directory.File("keys")).Keep("r1", _spec), Throws.InstanceOf<CredentialException>().With.Message.Contains("keys"));
        Assert.That(() => new RunSecrets(directory.File("none")).AddTo(_spec, "r1"), Throws.InstanceOf<CredentialException>().With.Message.Contains("client key"));
    }

    [Test]
    public void KeepOnly_SomeRuns_RemovesWhatIsLeftOfOthers()
    {
        using var directory = new TemporaryDirectory();
        var secrets = new RunSecrets(directory.Path);
        foreach (var run in new[] { "r1", "r2" })
            secrets.Keep(run, _spec);
        File.WriteAllText(directory.File("r1.pem.4711"), "half of a key");
        secrets.KeepOnly(new HashSet<string> { "r2" });
        Assert.That(Directory.GetFiles(directory.Path), Is.EqualTo(new[] { directory.File("r2.pem") }));
    }

    [Test]
    public async Task Run_WithAClientKey_TellsItsAgentsAndNobodyElse()
    {
        await using var fixture = await FleetFixture.StartAsync();
        var agent = await fixture.AttachAsync("a");
        var run = await fixture.CreateAsync(Tls());
        await fixture.UntilAsync(RunState.Holding);
        var keys = Path.Combine(fixture.DirectoryPath, "keys");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(agent.Assignments[^1].Transport.Tls.Key.ToByteArray(), Is.EqualTo(_key));
            Assert.That(agent.Assignments[^1].Transport.Tls.Certificate.ToByteArray(), Is.EqualTo(_certificate));
            Assert.That(Directory.GetFiles(keys), Is.EqualTo(new[] { Path.Combine(keys, $"{run.Id}.pem") }));
            Assert.That(fixture.Control.GetRun(new()).Spec.Transport.Tls.Key, Is.Empty);
            Assert.That(fixture.Control.GetRun(new()).ToString(), Does.Not.Contain(Secret).And.Not.Contain(_encoded));
        }

        await fixture.EndAsync();
        await fixture.UntilAsync(() => Directory.GetFiles(keys).Length == 0, RunFixture.Long, "the key is gone");
        AssertNowhere(fixture);
    }

    [Test]
    public async Task Start_AfterAKill_TheKeyIsHandedOutAgain()
    {
        await using var before = await FleetFixture.StartAsync();
        var agent = await before.AttachAsync("a");
        await before.CreateAsync(Tls());
        await before.UntilAsync(RunState.Ramping);
        await before.UntilAsync(() => agent.Assignments[^1].Phase == Phase.Running, RunFixture.Long, "running");
        var last = agent.Assignments[^1];

        await using var after = await FleetFixture.StartAsync(storeOf: before.DirectoryPath, at: before.Time.GetUtcNow().AddSeconds(3));
        var hello = FakeAgent.MakeHello("a");
        hello.Held = new() { RunId = last.RunId, Revision = last.Revision, StoreId = last.StoreId, Phase = last.Phase, Held = 50 };
        var back = await after.AttachAsync(hello);
        await after.UntilAsync(() => back.Assignments.Count > 0, RunFixture.Long, "an assignment");

        Assert.That(back.Assignments[0].Transport.Tls.Key.ToByteArray(), Is.EqualTo(_key));
        var (run, _) = await after.EndAsync();
        Assert.That(run.State, Is.EqualTo(RunState.Completed), run.StateReason);
        await after.UntilAsync(() => Directory.GetFiles(Path.Combine(after.DirectoryPath, "keys")).Length == 0, RunFixture.Long, "the key is gone");
        AssertNowhere(after);
    }

    [Test]
    public async Task Start_AfterAKillThatTookTheKeyToo_FailsTheRunInWords()
    {
        await using var before = await FleetFixture.StartAsync();
        await before.AttachAsync("a");
        await before.CreateAsync(Tls());
        await before.UntilAsync(RunState.Holding);
        Directory.Delete(Path.Combine(before.DirectoryPath, "keys"), recursive: true);

        await using var after = await FleetFixture.StartAsync(storeOf: before.DirectoryPath, at: before.Time.GetUtcNow().AddSeconds(3));
        Assert.That(after.Run().State, Is.EqualTo(RunState.Failed));
        Assert.That(after.Log.Lines, Has.Some.Contains("client key"));
    }

    private static V1.RunSpec Tls()
    {
        var spec = RunFixture.Spec(100, 1);
        spec.Targets[0] = "tls://127.0.0.1:9000-9009";
        spec.Transport = new() { Tls = new() { Certificate = ByteString.CopyFrom(_certificate), Key = ByteString.CopyFrom(_key) } };
        return spec;
    }

    private static void AssertNowhere(FleetFixture fixture)
    {
        foreach (var path in Directory.GetFiles(fixture.DirectoryPath, "*", SearchOption.AllDirectories).Where(f => !f.EndsWith(".sock", StringComparison.Ordinal)))
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            Assert.That(bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(Secret)), Is.Negative, path);
            Assert.That(bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(_encoded)), Is.Negative, path);
        }

        Assert.That(fixture.Log.Lines, Has.None.Contains(Secret));
    }
}
