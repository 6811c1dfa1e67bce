using LoadHarness.Coordinator.Store;
using LoadHarness.Coordinator.Tests.LocalFleet;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoadHarness.Coordinator.Tests.Store;

public sealed class StoreFileTests
{
    private TemporaryDirectory _directory = null!;
    private string _path = null!;

    [SetUp]
    public void SetUp()
    {
        _directory = new TemporaryDirectory();
        _path = _directory.File("store.db");
    }

    [TearDown]
    public void TearDown() => _directory.Dispose();

    [Test]
    public void Open_NoFile_MakesOneThatOnlyItsOwnerReads()
    {
        using var store = StoreFixture.Open(_path);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(store.Epoch, Is.EqualTo(1));
            Assert.That(store.Id, Has.Length.EqualTo(32));
            Assert.That(
                Directory.GetFiles(_directory.Path).Select(File.GetUnixFileMode).Distinct(),
                Is.EqualTo([UnixFileMode.UserRead | UnixFileMode.UserWrite]), "the log and the index too");
            Assert.That(_path + ".new", Does.Not.Exist);
        }
    }

    [Test]
    public void Open_Again_IsTheSameStoreInItsNextEpoch()
    {
        string id;
        using (var first = StoreFixture.Open(_path))
            id = first.Id;

        using var second = StoreFixture.Open(_path);

        Assert.That((second.Id, second.Epoch), Is.EqualTo((id, 2UL)));
    }

    [Test]
    public void Open_KilledWhileItWasMade_MakesItAnew()
    {
        File.WriteAllText(_path + ".new", "half of a store");

        using var store = StoreFixture.Open(_path);

        Assert.That(store.Epoch, Is.EqualTo(1));
    }

    [Test]
    public async Task Open_OlderSchema_IsBroughtForwardWithItsRows()
    {
        using (var old = StoreFixture.Open(_path))
            await old.Runs.SaveAsync(StoreFixture.Run("r1", "q"));
        var newer = new StoreSchema([.. StoreSchema.Present.Scripts, "ALTER TABLE runs ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue';"]);

        using (var store = StoreFixture.Open(_path, newer))
            Assert.That(store.Runs.Newest(10), Is.EqualTo([StoreFixture.Run("r1", "q")]));

        Assert.That(() => StoreFixture.Open(_path), Throws.TypeOf<StoreException>().With.Message.Contains($"schema {newer.Version}; this one knows {StoreSchema.Present.Version}"));
    }

    [Test]
    public void Open_MigrationFails_LeavesTheOldSchema()
    {
        StoreFixture.Open(_path).Dispose();
        var broken = new StoreSchema([.. StoreSchema.Present.Scripts, "CREATE TABLE more (id INTEGER) STRICT; INSERT INTO nothing VALUES (1);"]);

        Assert.That(() => StoreFixture.Open(_path, broken), Throws.TypeOf<StoreException>());

        using var store = StoreFixture.Open(_path);
        Assert.That(store.Epoch, Is.EqualTo(2));
        store.Dispose();
        Assert.That(() => StoreFixture.Execute(_path, "SELECT * FROM more"), Throws.Exception.With.Message.Contains("no such table"));
    }

    [Test]
    public void Open_NewerSchema_IsRefusedAndUntouched()
    {
        StoreFixture.Open(_path).Dispose();
        StoreFixture.Execute(_path, "UPDATE meta SET schema_version = 99");

        AssertRefused($"written by a newer loadharness (schema 99; this one knows {StoreSchema.Present.Version})", "start that version");
    }

    [Test]
    public async Task Open_NewerSchemaOfAKilledProcess_LeavesItsLogUntouchedToo()
    {
        using var store = StoreFixture.Open(_path);
        await store.Runs.SaveAsync(StoreFixture.Run("r1"));
        StoreFixture.Execute(_path, "UPDATE meta SET schema_version = 99");
        var killed = StoreFixture.CopyAsKilled(_path, _directory);
        var before = StoreFixture.Hash(killed);

        Assert.That(() => StoreFixture.Open(killed), Throws.TypeOf<StoreException>().With.Message.Contains("newer loadharness"));

        Assert.That(StoreFixture.Hash(killed), Is.EqualTo(before));
    }

    [TestCase("", "it is empty")]
    [TestCase("runs: []\n", "it is no SQLite database")]
    public void Open_FileOfAnotherKind_IsRefusedAndUntouched(string content, string why)
    {
        File.WriteAllText(_path, content);

        AssertRefused(why, "move it away");
    }

    [Test]
    public void Open_DatabaseOfAnotherProgram_IsRefusedAndUntouched()
    {
        StoreFixture.Execute(_path, "CREATE TABLE runs (id TEXT)");

        AssertRefused("it is the database of another program", "move it away");
    }

    [Test]
    public async Task Open_DamagedPages_IsRefusedAndUntouched()
    {
        using (var store = StoreFixture.Open(_path))
        {
            for (var i = 0; i < 200; i++)
                await store.Runs.SaveAsync(StoreFixture.Run($"r{i}") with { Summary = new string('x', 1000) });
        }

        var bytes = File.ReadAllBytes(_path);
        bytes.AsSpan(bytes.Length / 2, 8192).Fill(0xA5);
        File.WriteAllBytes(_path, bytes);

        AssertRefused("is damaged (", "put back a copy");
    }

    [Test]
    public void Open_CutOff_IsRefusedAndUntouched()
    {
        StoreFixture.Open(_path).Dispose();
        using (var file = File.OpenWrite(_path))
            file.SetLength(file.Length - 4096);

        AssertRefused("is damaged (", "move it away");
    }

    [Test]
    public void Open_DirectoryIsMissing_SaysSo()
    {
        var path = Path.Combine(_directory.Path, "none", "store.db");

        Assert.That(() => StoreFixture.Open(path), Throws.TypeOf<StoreException>().With.Message.Contains(path));
    }

    private void AssertRefused(params string[] words)
    {
        var before = StoreFixture.Hash(_path);
        var refusal = Assert.Throws<StoreException>(
            () => CoordinatorStore.Open(_path, TimeProvider.System, NullLogger.Instance).Dispose())!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(refusal.Message, Does.Contain(_path));
            foreach (var word in words)
                Assert.That(refusal.Message, Does.Contain(word));
            Assert.That(StoreFixture.Hash(_path), Is.EqualTo(before));
        }
    }
}
