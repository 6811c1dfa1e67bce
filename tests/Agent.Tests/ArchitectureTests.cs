using System.Reflection;
using Google.Protobuf;
using LoadHarness.TestKit.Dependencies;

namespace LoadHarness.Agent.Tests;

/// <summary>
/// The agent's folders depend on each other in one direction:
/// Interop, Measurement, Safety, Identity - Transports, KernelView, Preflight, Provisioning - Engine - Workloads, Backend - Assignments - Link - Cli.
/// </summary>
public class ArchitectureTests
{
    private const string Root = "LoadHarness.Agent";

    /// <summary>Low to high. Interop is the lowest of all; within a level nobody knows the others.</summary>
    private static readonly string[][] _levels =
    [
        ["Interop"],
        ["Measurement", "Safety", "Identity"],
        ["Transports", "KernelView", "Preflight", "Provisioning"],
        ["Engine"],
        ["Workloads", "Backend"],
        ["Assignments"],
        ["Link"],
        ["Cli"],
    ];

    /// <summary>The one source file that translates, and the classes that move messages over a call.</summary>
    private static readonly string[] _messageHandlers = ["WireTranslation", "AgentLink", "AttachSession", "AttachWriter", "SampleUploader"];

    /// <summary>Backend too: it keeps what it knows of each connection outside the managed heap, as the engine does.</summary>
    private static readonly string[] _unsafeFolders = ["Interop", "Transports", "KernelView", "Engine", "Backend"];

    private static readonly Type[] _types =
        [.. Assembly.Load("loadharness-agent").GetTypes().Where(t => t.Namespace?.StartsWith(Root, StringComparison.Ordinal) == true)];

    [Test]
    public void Folders_AreAllOnTheMap()
    {
        Assert.That(_types.Select(FolderOf).Distinct().Where(f => LevelOf(f) < 0), Is.Empty, "a new folder needs a place in the order");
        Assert.That(_levels.SelectMany(l => l).Except(_types.Select(FolderOf)), Is.Empty, "a folder that is gone must leave the order");
    }

    [Test]
    public void Dependencies_PointOneWay()
    {
        var wrong = from type in _types
                    from referenced in TypeReferences.Of(type)
                    where IsOurs(referenced) && !MayUse(FolderOf(type), FolderOf(referenced))
                    select $"{OutermostOf(type).FullName} -> {OutermostOf(referenced).FullName}";

        Assert.That(wrong.Distinct(), Is.Empty);
    }

    [Test]
    public void NativeCalls_AreDeclaredInInteropOnly()
    {
        var natives = _types.SelectMany(t => t.GetMethods(Declared))
            .Where(m => m.Attributes.HasFlag(MethodAttributes.PinvokeImpl)).ToList();

        Assert.That(natives, Is.Not.Empty);
        Assert.That(natives.Where(m => FolderOf(m.DeclaringType!) != "Interop").Select(Describe), Is.Empty);
    }

    [Test]
    public void Pointers_AreUsedWhereTheDesignAllowsThem()
    {
        var wrong = _types.Where(t => !_unsafeFolders.Contains(FolderOf(t)))
            .Where(t => TypeReferences.Of(t).Any(r => r.IsPointer))
            .Select(t => OutermostOf(t).FullName).Distinct();

        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void Messages_StopAtTheWire()
    {
        var users = _types.Where(t => TypeReferences.Of(t).Any(r => typeof(IMessage).IsAssignableFrom(r)))
            .Select(OutermostOf).Distinct().ToList();

        Assert.That(users.Select(t => t.Name), Has.Member("WireTranslation"), "otherwise nothing was looked at");
        Assert.That(users.Where(t => !_messageHandlers.Contains(t.Name) || FolderOf(t) != "Link").Select(t => t.FullName), Is.Empty);
    }

    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static bool IsOurs(Type type) =>
        type.Assembly == _types[0].Assembly && type.Namespace?.StartsWith(Root, StringComparison.Ordinal) == true;

    private static bool MayUse(string from, string to) => from == to || LevelOf(to) < LevelOf(from);

    private static int LevelOf(string folder) => Array.FindIndex(_levels, level => level.Contains(folder));

    /// <summary>`LoadHarness.Agent.Interop.Libc` lies in the folder Interop.</summary>
    private static string FolderOf(Type type) =>
        type.Namespace!.Length == Root.Length ? "" : type.Namespace[(Root.Length + 1)..].Split('.')[0];

    private static Type OutermostOf(Type type)
    {
        while (type.DeclaringType is { } outer)
            type = outer;
        return type;
    }

    private static string Describe(MethodInfo method) => $"{method.DeclaringType!.FullName}.{method.Name}";
}
