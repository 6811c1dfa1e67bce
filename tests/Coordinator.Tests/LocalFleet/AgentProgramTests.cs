using LoadHarness.Coordinator.LocalFleet;

namespace LoadHarness.Coordinator.Tests.LocalFleet;

public class AgentProgramTests
{
    private TemporaryDirectory _temporary = null!;

    [SetUp]
    public void SetUp() => _temporary = new TemporaryDirectory();

    [TearDown]
    public void TearDown() => _temporary.Dispose();

    [Test]
    public void Locate_Variable_ComesFirst()
    {
        var named = _temporary.Script("mine", "");
        _temporary.Script(AgentProgram.Name, "");
        Assert.That(AgentProgram.Locate(named, _temporary.Path).FileName, Is.EqualTo(named));
    }

    [Test]
    public void Locate_VariableNamesNothing_DoesNotFallBack()
    {
        _temporary.Script(AgentProgram.Name, "");
        Assert.That(() => AgentProgram.Locate("/no/such/agent", _temporary.Path),
            Throws.TypeOf<LocalFleetException>().With.Message.Contains("LOADHARNESS_AGENT says /no/such/agent"));
    }

    [Test]
    public void Locate_BesideAndBelow_TakesTheOneBeside()
    {
        Directory.CreateDirectory(_temporary.File("agent"));
        var below = _temporary.Script($"agent/{AgentProgram.Name}", "");
        Assert.That(AgentProgram.Locate(null, _temporary.Path).FileName, Is.EqualTo(below));
        var beside = _temporary.Script(AgentProgram.Name, "");
        Assert.That(AgentProgram.Locate("", _temporary.Path).FileName, Is.EqualTo(beside));
    }

    [Test]
    public void Locate_Nowhere_NamesBothPlaces() =>
        Assert.That(() => AgentProgram.Locate(null, _temporary.Path), Throws.TypeOf<LocalFleetException>()
            .With.Message.Contains(_temporary.File(AgentProgram.Name)).And.Message.Contains(_temporary.File($"agent/{AgentProgram.Name}")));

    [Test]
    public void Locate_NotExecutable_SaysChmod()
    {
        File.WriteAllText(_temporary.File(AgentProgram.Name), "");
        Assert.That(() => AgentProgram.Locate(null, _temporary.Path),
            Throws.TypeOf<LocalFleetException>().With.Message.Contains("chmod +x"));
    }

    [Test]
    public void Locate_Library_RunsThroughDotnet()
    {
        var library = _temporary.File("loadharness-agent.dll");
        File.WriteAllText(library, "");
        Assert.That(AgentProgram.Locate(library, "/").LeadingArguments, Is.EqualTo(new[] { library }));
    }

    [Test]
    public void Locate_FrameworkDependent_KnowsTheRunningInstallation()
    {
        _temporary.Script(AgentProgram.Name, "");
        File.WriteAllText(_temporary.File($"{AgentProgram.Name}.runtimeconfig.json"), "{}");
        var root = AgentProgram.Locate(null, _temporary.Path).DotnetRoot;
        Assert.That(root, Is.Not.Null);
        Assert.That(Directory.Exists(Path.Combine(root!, "shared", "Microsoft.NETCore.App")), Is.True);
    }
}
