using System.Reflection;
using Google.Protobuf;
using Grpc.Core;
using LoadHarness.TestKit.Dependencies;

namespace LoadHarness.Coordinator.Tests;

/// <summary>The directions in which the coordinator's folders may depend on each other, and what may never reach some of them.</summary>
public class ArchitectureTests
{
    private const string Root = "LoadHarness.Coordinator";
    private const string Contract = "LoadHarness.V1";

    /// <summary>
    /// Low to high. A folder depends on lower rows only, never on its neighbours; everything else is composition and may use all.
    /// </summary>
    private static readonly string[][] _rows =
    [
        ["Interop"],
        ["Specs", "Aggregation"],
        ["Planning", "Verdicts", "Security"],
        ["Fleet", "Store", "Reports"],
        ["Runs"],
        ["Api", "LocalFleet", "Dashboard", "Metrics"],
        ["Cli"],
    ];

    /// <summary>Functions of their arguments: no sockets, clocks, databases, processes, files or gRPC.</summary>
    private static readonly string[] _pure = ["Specs", "Planning", "Aggregation", "Verdicts", "Reports"];

    private static readonly string[] _impure =
    [
        "Grpc.", "Google.Protobuf", "Microsoft.", "System.Net.Sockets", "System.Net.Http", "System.Data", "System.Diagnostics.Process",
        "System.Threading.Timer", "System.Threading.Tasks.Task", "System.TimeProvider", "System.Diagnostics.Stopwatch",
        "System.Random", "System.IO.File", "System.IO.Directory", "System.Net.Dns", "System.Console", "Spectre.",
    ];

    private static readonly Dictionary<Type, IReadOnlySet<Type>> _references = Assembly.Load("loadharness").GetTypes()
        .Where(t => t.Namespace?.StartsWith(Root, StringComparison.Ordinal) == true)
        .ToDictionary(t => t, TypeReferences.Of);

    private static IEnumerable<(Type From, Type To)> References => _references.SelectMany(r => r.Value.Select(to => (r.Key, to)));

    private static string? FolderOf(Type type) =>
        type.Namespace?.StartsWith(Root + ".", StringComparison.Ordinal) == true ? type.Namespace[(Root.Length + 1)..].Split('.')[0] : null;

    private static int RowOf(string folder) => Array.FindIndex(_rows, row => row.Contains(folder));

    private static Type Outermost(Type type) => type.DeclaringType is { } outer ? Outermost(outer) : type;

    private static string Text((Type From, Type To) reference) => $"{Outermost(reference.From).FullName} uses {reference.To.FullName}";

    [Test]
    public void Folders_All_StandInTheTable() =>
        Assert.That(_references.Keys.Select(FolderOf).OfType<string>().Distinct().Where(f => RowOf(f) < 0), Is.Empty);

    [Test]
    public void Folders_All_DependDownwardsOnly()
    {
        var wrong = from reference in References
                    let user = FolderOf(reference.From)
                    let used = FolderOf(reference.To)
                    where used is not null && user is not null && user != used && RowOf(used) >= RowOf(user)
                    select Text(reference);
        Assert.That(wrong.Distinct(), Is.Empty);
    }

    [Test]
    public void Composition_IsUsedByNobody()
    {
        var wrong = References.Where(r => FolderOf(r.From) is not null && r.To.Namespace == Root && r.To.Assembly == r.From.Assembly);
        Assert.That(wrong.Select(Text).Distinct(), Is.Empty);
    }

    [Test]
    public void PureFolders_All_TouchNothingOutside()
    {
        var wrong = References.Where(r => _pure.Contains(FolderOf(r.From)) && !IsEnumOfTheContract(r.To) && IsImpure(r.To));
        Assert.That(wrong.Select(Text).Distinct(), Is.Empty);
    }

    [Test]
    public void PureFolders_All_NeverAskWhatTimeItIs()
    {
        var clocks = new[] { nameof(DateTime.Now), nameof(DateTime.UtcNow), nameof(DateTime.Today) };
        var wrong = _references.Keys.Where(t => _pure.Contains(FolderOf(t)))
            .SelectMany(t => TypeReferences.Calls(t).Select(m => (Type: t, Method: m)))
            .Where(c => c.Method.DeclaringType == typeof(DateTime) || c.Method.DeclaringType == typeof(DateTimeOffset))
            .Where(c => clocks.Any(clock => c.Method.Name == "get_" + clock));
        Assert.That(wrong.Select(c => $"{c.Type.FullName} calls {c.Method.DeclaringType!.Name}.{c.Method.Name}"), Is.Empty);
    }

    [Test]
    public void Messages_All_StopAtTheWire()
    {
        var wrong = References.Where(r => IsMessage(r.To) && r.To.Namespace == Contract && !MayMoveMessages(Outermost(r.From)));
        Assert.That(wrong.Select(Text).Distinct(), Is.Empty);
    }

    [Test]
    public void TypeReferences_OfThisFixture_FindsWhatOnlyBodiesUse()
    {
        var found = TypeReferences.Of(typeof(UsesThingsInside));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(found, Does.Contain(typeof(System.Text.StringBuilder)), "constructed");
            Assert.That(found, Does.Contain(typeof(Version)), "a generic argument");
            Assert.That(found, Does.Contain(typeof(TimeZoneInfo)), "a static call");
        }
    }

    private static bool IsMessage(Type type) => typeof(IMessage).IsAssignableFrom(type);

    private static bool IsEnumOfTheContract(Type type) => type.IsEnum && type.Namespace == Contract;

    private static bool IsImpure(Type type) => IsMessage(type) || _impure.Any(name => name.EndsWith('.')
        ? type.FullName!.StartsWith(name, StringComparison.Ordinal)
        : type.FullName == name || type.Namespace == name);

    /// <summary>Translations, the services, and the classes that hold a client: thin by review, the rest by this test.</summary>
    private static bool MayMoveMessages(Type type) =>
        type.Name == "WireTranslation"
        || type.BaseType?.GetCustomAttribute<BindServiceMethodAttribute>() is not null
        || type.GetFields(BindingFlags.Instance | BindingFlags.NonPublic).Any(f => typeof(ClientBase).IsAssignableFrom(f.FieldType));

    private sealed class UsesThingsInside
    {
        public static int Count() =>
            new System.Text.StringBuilder().Length + new List<Version>().Count + TimeZoneInfo.GetSystemTimeZones().Count;
    }
}
