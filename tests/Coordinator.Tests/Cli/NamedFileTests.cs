using System.Diagnostics;
using LoadHarness.Coordinator.Cli;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Tests.LocalFleet;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Tests.Cli;

public sealed class NamedFileTests
{
    private readonly List<SpecError> _errors = [];
    private TemporaryDirectory _directory = null!;

    [SetUp]
    public void SetUp()
    {
        _directory = new();
        _errors.Clear();
    }

    [TearDown]
    public void TearDown() => _directory.Dispose();

    [Test]
    public void Read_AFile_IsItsBytes()
    {
        var path = _directory.File("a.pem");
        File.WriteAllBytes(path, [0, 255, 10]);
        Assert.That(NamedFile.Read("--tls-ca", path, _errors), Is.EqualTo(new byte[] { 0, 255, 10 }));
        Assert.That(_errors, Is.Empty);
    }

    [Test]
    public async Task Read_APipe_IsWhatItGives()
    {
        // As `--tls-key <(pass show key)` has it: no key lies on a disk.
        var path = _directory.File("pipe");
        using (var made = Process.Start("mkfifo", path))
            await made.WaitForExitAsync();
        var writing = Task.Run(() => File.WriteAllText(path, "a key"));
        var read = await Task.Run(() => NamedFile.Read("--tls-key", path, _errors));
        await writing;
        Assert.That((read, _errors), Is.EqualTo(("a key"u8.ToArray(), Array.Empty<SpecError>())));
    }

    [TestCase("missing", "--tls-ca {0}: cannot be read: Could not find file")]
    [TestCase(".", "--tls-ca {0}: is a directory. Name a file in it.")]
    [TestCase("empty", "--tls-ca {0}: is an empty file. Name another file, or leave the option out.")]
    public void Read_WhatCannotBe_SaysWhy(string name, string message)
    {
        File.WriteAllText(_directory.File("empty"), "");
        var path = _directory.File(name);
        Assert.That(NamedFile.Read("--tls-ca", path, _errors), Is.Empty);
        Assert.That(_errors.Single().Message, Does.StartWith(string.Format(System.Globalization.CultureInfo.InvariantCulture, message, path)));
    }

    [Test]
    public void Read_ADeviceWithoutAnEnd_IsTooLarge()
    {
        Assert.That(NamedFile.Read("--body", "/dev/zero", _errors), Is.Empty);
        Assert.That(_errors.Single().Message, Does.StartWith("--body /dev/zero: is too large; allowed: at most 16,777,216 bytes"));
    }

    [Test]
    public void Read_ANameThatIsNone_IsSaid()
    {
        Assert.That(NamedFile.Read("--body", "a\0b", _errors), Is.Empty);
        Assert.That(_errors.Single().Message, Does.StartWith("--body a?b: cannot be read"));
    }

    [Test]
    public async Task Run_AFileThatIsNoPem_IsNamed()
    {
        var path = _directory.File("ca.der");
        File.WriteAllText(path, "no PEM");
        using var harness = new CliHarness();
        Assert.That(await harness.RunAsync($"run tls://127.0.0.1:443 -c 5 --tls-ca {path}"), Is.EqualTo(ExitCode.Invalid));
        Assert.That(harness.Error, Does.Contain($"--tls-ca {path}: has nothing in PEM form"));
    }

    [TestCase("run tls://127.0.0.1:443 -c 5 --tls-ca /none/a --tls-cert /none/b --tls-key /none/c", "--tls-ca /none/a", "--tls-cert /none/b", "--tls-key /none/c")]
    [TestCase("run http://127.0.0.1 -c 5 --body @/none/a --think-time x", "--body /none/a", "--think-time x")]
    public async Task Run_FilesThatAreNotThere_AreSaidWithEverythingElse(string line, params string[] messages)
    {
        using var harness = new CliHarness();
        Assert.That(await harness.RunAsync(line), Is.EqualTo(ExitCode.Invalid));
        foreach (var message in messages)
            Assert.That(harness.Error, Does.Contain(message));
        Assert.That(harness.Error, Does.Not.Contain("is missing"));
    }
}
