using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests;

/// <summary>End-to-end tests see programs from the outside: processes, sockets, output. Of the product they know the contract alone.</summary>
public sealed class ArchitectureTests
{
    [TestCase(typeof(ArchitectureTests))]
    [TestCase(typeof(ProgramProcess))]
    public void Assembly_OfTheTests_KnowsNoProgramFromTheInside(Type member)
    {
        var references = member.Assembly.GetReferencedAssemblies().Select(a => a.Name).ToArray();

        Assert.That(references, Has.Some.EqualTo("System.Runtime"), "what the assembly refers to was read");
        Assert.That(references, Has.None.EqualTo("loadharness").And.None.EqualTo("loadharness-agent"));
    }
}
