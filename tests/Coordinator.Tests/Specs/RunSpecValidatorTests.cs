using CsCheck;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Tests.Specs;

public class RunSpecValidatorTests
{
    private static readonly RunSpecInput _good = new() { Targets = ["tcp://10.0.0.5:443"], Connections = "50k" };

    private static IReadOnlyList<IpAddress> Resolve(string name) => name switch
    {
        "both.test" => [Address("2001:db8::1"), Address("10.0.0.7"), Address("10.0.0.6"), Address("10.0.0.7")],
        "six.test" => [Address("2001:db8::1")],
        "zero.test" => [Address("0.0.0.0")],
        _ => [],
    };

    private static IpAddress Address(string text) =>
        AddressText.TryParse(text, out var address) ? address : throw new ArgumentException(text);

    private static SpecError Single(RunSpecInput input)
    {
        var result = RunSpecValidator.Validate(input, Resolve);
        Assert.That(result.Spec, Is.Null);
        Assert.That(result.Errors, Has.Length.EqualTo(1), string.Join('\n', result.Errors));
        return result.Errors[0];
    }

    private static RunSpec Valid(RunSpecInput input)
    {
        var result = RunSpecValidator.Validate(input, Resolve);
        Assert.That(result.Errors, Is.Empty);
        return result.Spec!;
    }

    [Test]
    public void Validate_OnlyTargetAndGoal_FillsDefaults()
    {
        var spec = Valid(_good);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(spec.Connections, Is.EqualTo(50_000));
            Assert.That(spec.Hold, Is.EqualTo(TimeSpan.FromSeconds(60)));
            Assert.That(spec.Ramp, Is.Null);
            Assert.That(spec.ConnectRate, Is.Null);
            Assert.That(spec.Sources, Is.Empty);
            Assert.That(spec.Agents, Is.Null);
        }
    }

    private static IEnumerable<TestCaseData> Crowds()
    {
        yield return Of("--target", 4096, "4,097 address and port ranges", n => _good with { Targets = [.. Many(n, i => $"10.0.0.5:{(2 * i) + 1}")] });
        yield return Of("--target", 4096, "4,097 address and port ranges", n => _good with { Targets = ["10.0.0.5:" + string.Join(',', Many(n, i => $"{(2 * i) + 1}"))] })
            .SetArgDisplayNames("--target in one");
        yield return Of("--sources", 4096, "4,097 ranges", n => _good with { Sources = [.. Many(n, i => $"10.1.{i >> 7}.{(2 * (i & 127)) + 1}")] });
        yield return Of("--sources", 4096, "4,097 ranges", n => _good with { Sources = [string.Join(',', Many(n, i => $"10.1.{i >> 7}.{(2 * (i & 127)) + 1}"))] })
            .SetArgDisplayNames("--sources in one");
        yield return Of("--provision-sources", 256, "257 prefixes", n => _good with { ProvisionSources = [.. Many(n, i => $"10.{i >> 8}.{i & 255}.0/24@eth0")] });

        static TestCaseData Of(string field, int most, string problem, Func<int, RunSpecInput> make) =>
            new TestCaseData(field, most, problem, make).SetArgDisplayNames(field);

        static IEnumerable<string> Many(int count, Func<int, string> text) => Enumerable.Range(0, count).Select(text);
    }

    [TestCaseSource(nameof(Crowds))]
    public void Validate_MoreThanCanBePlanned_IsRefusedWithTheBound(string field, int most, string problem, Func<int, RunSpecInput> make)
    {
        Valid(make(most));

        var error = Single(make(most + 1));

        Assert.That((error.Field, error.Problem, error.Allowed), Is.EqualTo((field, $"names {problem}", $"at most {most:N0}")));
    }

    [Test]
    public void Validate_LabelsAndBackends_TakesThem()
    {
        var spec = Valid(_good with
        {
            Select = ["zone=a", "tier=", "zone=a"],
            Backends = 2,
            BackendListen = "9000-9009,9010",
            BackendSelect = ["role=x=y"],
        });
        using (Assert.EnterMultipleScope())
        {
            Assert.That(LabelText.Format(spec.Select), Is.EqualTo("tier=, zone=a"));
            Assert.That((spec.Backends, spec.BackendListen.Single()), Is.EqualTo((2, new PortSpan(9000, 9010))));
            Assert.That(spec.BackendSelect["role"], Is.EqualTo("x=y"));
        }
    }

    [Test]
    public void Validate_NothingOfAFleet_TakesEveryIdleClientAndNoBackend()
    {
        var spec = Valid(_good with { Backends = 0 });
        Assert.That((spec.Select.IsEmpty, spec.Backends, spec.BackendListen.Length, spec.BackendSelect.IsEmpty), Is.EqualTo((true, 0, 0, true)));
    }

    [TestCase("zone", "has no value")]
    [TestCase("=a", "names no label")]
    [TestCase("zo\u0007ne=a", "is no label")]
    public void Validate_BadLabel_SaysHow(string text, string problem)
    {
        var error = Single(_good with { Select = [text] });
        Assert.That((error.Field, error.Message), Is.EqualTo(("--select", error.Message)));
        Assert.That(error.Message, Does.Contain(problem).And.Contain("zone=a"));
    }

    [Test]
    public void Validate_OneLabelWithTwoValues_IsRefused() =>
        Assert.That(Single(_good with { Select = ["zone=a", "zone=b"] }).Message, Does.Contain("zone=b").And.Contain("zone=a"));

    [Test]
    public void Validate_BackendsWithoutPorts_AsksForThem() =>
        Assert.That(Single(_good with { Backends = 1 }).Field, Is.EqualTo("--backend-listen"));

    [Test]
    public void Validate_PortsWithoutBackends_AsksForThem() =>
        Assert.That(Single(_good with { BackendListen = "9000" }).Field, Is.EqualTo("--backends"));

    [TestCase("hold=80,http=20", true)]
    [TestCase("hold=80,echo=20", true)]
    [TestCase("http", false)]
    [TestCase("hold", false)]
    public void Validate_AGreetingOfBackendsThatAlsoAnswer_IsRefused(string workload, bool refused)
    {
        var input = _good with { Backends = 1, BackendListen = "9000", ExpectGreeting = true, Workload = workload };
        if (workload.Contains("http", StringComparison.Ordinal))
            input = input with { Targets = ["http://127.0.0.1:9000/"] };

        Assert.That(RunSpecValidator.Validate(input, Resolve).Errors.Select(e => e.Field), Is.EqualTo(refused ? new[] { "--expect-greeting" } : []));
        Assert.That(RunSpecValidator.Validate(input with { Backends = null, BackendListen = null }, Resolve).Errors, Is.Empty, "others may greet");
    }

    [Test]
    public void Validate_EverythingWrongWithBackends_ComesAtOnce()
    {
        var errors = RunSpecValidator.Validate(
            _good with { Backends = "many", BackendListen = "0", BackendSelect = ["x"], Select = ["y"] }, Resolve).Errors;
        Assert.That(errors.Select(e => e.Field), Is.EquivalentTo(new[] { "--backends", "--backend-listen", "--backend-select", "--select" }));
    }

    [Test]
    public void Validate_NameThatTheAgentsAreAsked_HasNoAddresses()
    {
        var result = RunSpecValidator.Validate(_good with { Targets = ["web.test:443"], Sources = ["10.0.0.1"] }, _ => null);
        Assert.That(result.Errors, Is.Empty);
        Assert.That(result.Spec!.Targets.Single().IsAskedOfAgents, Is.True);
    }

    [Test]
    public void Validate_NameThatCameResolved_IsNotAskedFor()
    {
        var input = _good with { Targets = ["web.test:443"] };
        var spec = Valid(input with { Names = input.Names.Add("WEB.test", [Address("10.0.0.7"), Address("2001:db8::1")]) });
        Assert.That(spec.Targets.Single().Addresses, Is.EqualTo(new[] { Address("10.0.0.7") }));
    }

    [Test]
    public void Validate_Everything_TakesEverything()
    {
        var spec = Valid(_good with
        {
            Name = " soak ",
            Ramp = "10m",
            Hold = "30m",
            Sources = ["10.0.1.1-10.0.1.4,10.0.2.0/28"],
            SourcePorts = "10000-20000",
            Agents = 4,
            ReadyTimeout = TimeSpan.FromSeconds(5),
            ConnectTimeout = "500ms",
            MaxDuration = "1h",
            ExpectGreeting = true,
        });
        using (Assert.EnterMultipleScope())
        {
            Assert.That(spec.Name, Is.EqualTo("soak"));
            Assert.That(spec.Ramp, Is.EqualTo(TimeSpan.FromMinutes(10)));
            Assert.That(spec.Sources.Select(s => s.Range!.Value.Count), Is.EqualTo(new[] { 4L, 14L }));
            Assert.That(spec.SourcePorts, Is.EqualTo(new PortSpan(10_000, 20_000)));
            Assert.That(spec.Agents, Is.EqualTo(4));
            Assert.That(spec.ConnectTimeout, Is.EqualTo(TimeSpan.FromMilliseconds(500)));
            Assert.That(spec.ExpectGreeting, Is.True);
        }
    }

    [Test]
    public void Validate_ManyErrors_NamesAllAtOnce()
    {
        var result = RunSpecValidator.Validate(
            new RunSpecInput
            {
                Targets = ["10.0.0.5:70000", "nowhere.test:80"],
                Connections = "-5",
                Ramp = "-1s",
                ConnectRate = "fast",
                Hold = "0s",
                Sources = ["10.0.0.0/33"],
                SourcePorts = "0-5",
                Agents = "0",
                ReadyTimeout = "60",
            },
            Resolve);
        Assert.That(
            result.Errors.Select(e => e.Field),
            Is.EquivalentTo(new[]
            {
                "--target", "--target", "--connections", "--ramp", "--connect-rate", "--ramp", "--hold", "--sources",
                "--source-ports", "--agents", "--ready-timeout",
            }));
    }

    [TestCase("-5", "--connections -5: is negative")]
    [TestCase("5X", "--connections 5X: 'X' is no suffix")]
    [TestCase("0", "--connections 0: is too small; allowed: 1 to 100,000,000")]
    [TestCase("101M", "--connections 101M: is too large; allowed: 1 to 100,000,000")]
    public void Validate_WrongGoal_NamesFieldValueAndBounds(string goal, string message) =>
        Assert.That(Single(_good with { Connections = goal }).Message, Does.StartWith(message));

    [Test]
    public void Validate_GoalMissing_SaysSo() =>
        Assert.That(Single(_good with { Connections = null }).Message, Does.StartWith("--connections: is missing"));

    [Test]
    public void Validate_GoalAsHugeValue_DoesNotOverflow() =>
        Assert.That(Single(_good with { Connections = long.MaxValue }).Problem, Is.EqualTo("is too large"));

    [Test]
    public void Validate_RampAndRate_Refused() =>
        Assert.That(Single(_good with { Ramp = "1m", ConnectRate = "5/s", Connections = 10 }).Message,
            Does.Contain("cannot stand together"));

    [Test]
    public void Validate_NameWithoutAddress_SaysThatItDoesNotResolve() =>
        Assert.That(Single(_good with { Targets = ["nowhere.test:80"] }).Message, Does.Contain("'nowhere.test' that does not resolve"));

    [TestCase("0.0.0.0:80", "unspecified")]
    [TestCase("[::]:80", "unspecified")]
    [TestCase("224.0.0.1:80", "multicast")]
    [TestCase("[ff02::1]:80", "multicast")]
    [TestCase("255.255.255.255:80", "broadcast")]
    [TestCase("[fe80::1]:80", "link-local")]
    [TestCase("zero.test:80", "unspecified")]
    public void Validate_DestinationThatIsNoHost_Refused(string target, string reason) =>
        Assert.That(Single(_good with { Targets = [target] }).Problem, Does.Contain(reason));

    [Test]
    public void Validate_NameWithBothFamilies_TakesOneOfThem() =>
        Assert.That(
            Valid(_good with { Targets = ["both.test:80"] }).Targets[0].Addresses.Select(a => a.ToString()),
            Is.EqualTo(new[] { "10.0.0.6", "10.0.0.7" }));

    [Test]
    public void Validate_NameWithBothFamiliesAndIpv6Sources_TakesIpv6() =>
        Assert.That(
            Valid(_good with { Targets = ["both.test:80"], Sources = ["2001:db8::9"] }).Targets[0].Addresses.Select(a => a.ToString()),
            Is.EqualTo(new[] { "2001:db8::1" }));

    [Test]
    public void Validate_FamiliesThatDoNotMeet_NamesBoth() =>
        Assert.That(
            RunSpecValidator.Validate(_good with { Sources = ["2001:db8::9"] }, Resolve).Errors.Select(e => e.Field),
            Is.EqualTo(new[] { "--target", "--sources" }));

    [Test]
    public void Validate_AutoBesideSources_Refused() =>
        Assert.That(Single(_good with { Sources = ["auto,10.0.0.1"] }).Problem, Does.Contain("auto beside"));

    [TestCase("10.0.1.1-10.0.1.14,10.0.1.9", "10.0.1.9: overlaps 10.0.1.1-10.0.1.14")]
    [TestCase("10.0.1.0/24,10.0.0.1-10.0.2.1,10.0.1.0/28", "10.0.1.0/24: overlaps 10.0.0.1-10.0.2.1", "10.0.1.0/28: overlaps 10.0.0.1-10.0.2.1")]
    [TestCase("10.0.1.1,10.0.1.1", "10.0.1.1: is named twice")]
    [TestCase("dev:eth0,dev:eth0", "dev:eth0: is named twice")]
    [TestCase("10.0.1.1,,10.0.1.2", "10.0.1.1,,10.0.1.2: is empty")]
    public void Validate_SourcesThatOverlap_NamesThem(string sources, params string[] problems)
    {
        var errors = RunSpecValidator.Validate(_good with { Sources = [sources] }, Resolve).Errors.Select(e => e.Message).ToList();
        Assert.That(errors, Has.Count.EqualTo(problems.Length));
        foreach (var problem in problems)
            Assert.That(errors, Has.One.StartsWith($"--sources {problem}"));
    }

    [Test]
    public void Validate_PortOfAHostTwice_Refused() =>
        Assert.That(
            Single(_good with { Targets = ["10.0.0.5:80-90", "10.0.0.5:90,weight=2"] }).Problem,
            Is.EqualTo("names a port of 10.0.0.5 that another target names too: see 80-90"));

    [Test]
    public void Validate_LongerThanMaxDuration_Refused() =>
        Assert.That(Single(_good with { Hold = "2h", MaxDuration = "1h" }).Message, Does.StartWith("--hold 2h: with 10s to open 50,000"));

    [Test]
    public void Validate_ManyPortPairs_Refused() =>
        Assert.That(Single(_good with { Targets = ["10.0.0.5:1-65535", "10.0.0.6:1-65535"] }).Problem, Does.Contain("131,070"));

    [Test]
    public void Validate_OnlySourceIsTheTarget_Refused() =>
        Assert.That(
            Single(_good with { Sources = ["10.0.0.5"], SourcePorts = "443" }).Message, Does.Contain("the target itself"));

    [TestCase("10.0.0.5", "443-444")]
    [TestCase("10.0.0.5-10.0.0.6", "443")]
    [TestCase("10.0.0.5", null)]
    public void Validate_TargetAmongTheSources_IsFine(string sources, string? ports) =>
        Assert.That(Valid(_good with { Sources = [sources], SourcePorts = ports }), Is.Not.Null);

    [Test]
    public void Validate_SlashEight_IsHeldAsARange() =>
        Assert.That(Valid(_good with { Sources = ["10.0.0.0/8"] }).Sources[0].Range!.Value.Count, Is.EqualTo((1 << 24) - 2));

    [Test]
    public void Message_ControlCharacters_AreNotPassedOn() =>
        Assert.That(Single(_good with { Connections = "5\u001b[2J" }).Message.Any(char.IsControl), Is.False);

    [Test]
    public void Validate_HostileTexts_NeverThrowsAndSaysSomething() =>
        HostileText.Any.Array[15].Sample(
            texts =>
            {
                var result = RunSpecValidator.Validate(
                    new RunSpecInput
                    {
                        Name = texts[0],
                        Targets = [texts[1]],
                        Connections = texts[2],
                        Ramp = texts[3],
                        Hold = texts[4],
                        ConnectRate = texts[5],
                        Sources = [texts[6]],
                        SourcePorts = texts[7],
                        Agents = texts[8],
                        MaxDuration = texts[9],
                        Workload = texts[10],
                        Lifetime = texts[11],
                        Close = texts[12],
                        Reuse = texts[13],
                        ProvisionSources = [texts[14]],
                    },
                    Resolve);
                return (result.Spec is null) == (result.Errors.Length > 0)
                    && result.Errors.All(e => e.Field.StartsWith("--", StringComparison.Ordinal) && !e.Message.Any(char.IsControl));
            },
            iter: 2000);
}
