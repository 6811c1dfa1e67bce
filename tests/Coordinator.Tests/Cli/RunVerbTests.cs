using System.CommandLine;
using LoadHarness.Coordinator.Cli;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Tests.Cli;

public class RunVerbTests
{
    [Test]
    public void InputOf_EveryOption_ArrivesInTheSpec()
    {
        var spec = Spec("--target tcp://10.0.0.5:443,8443-8450 --target 10.0.0.6:80 -c 2M --ramp 10m --hold 30m --sources 10.0.1.0/28 "
            + "--sources 10.0.2.1 --source-ports 10000-20000 --agents 4 --ready-timeout 5s --connect-timeout 2s --max-duration 2h "
            + "--expect-greeting --name soak");
        Assert.That(spec.Targets.Select(t => t.Text), Is.EqualTo(new[] { "tcp://10.0.0.5:443,8443-8450", "10.0.0.6:80" }));
        Assert.That(spec.Connections, Is.EqualTo(2_000_000));
        Assert.That(spec.Ramp, Is.EqualTo(TimeSpan.FromMinutes(10)));
        Assert.That(spec.Hold, Is.EqualTo(TimeSpan.FromMinutes(30)));
        Assert.That(spec.Sources.Select(s => s.Text), Is.EqualTo(new[] { "10.0.1.0/28", "10.0.2.1" }));
        Assert.That(spec.SourcePorts, Is.EqualTo(new PortSpan(10_000, 20_000)));
        Assert.That(spec.Agents, Is.EqualTo(4));
        Assert.That(spec.ReadyTimeout, Is.EqualTo(TimeSpan.FromSeconds(5)));
        Assert.That(spec.ConnectTimeout, Is.EqualTo(TimeSpan.FromSeconds(2)));
        Assert.That(spec.MaxDuration, Is.EqualTo(TimeSpan.FromHours(2)));
        Assert.That(spec.ExpectGreeting, Is.True);
        Assert.That(spec.Name, Is.EqualTo("soak"));
    }

    [Test]
    public void InputOf_ShortForm_LeavesDefaults()
    {
        var spec = Spec("10.0.0.5:443 -c 2M");
        Assert.That(spec.Targets.Single().Text, Is.EqualTo("10.0.0.5:443"));
        Assert.That(spec.Connections, Is.EqualTo(2_000_000));
        Assert.That((spec.Ramp, spec.ConnectRate, spec.Agents, spec.ExpectGreeting), Is.EqualTo(((TimeSpan?)null, (double?)null, (int?)null, false)));
        Assert.That(spec.Hold, Is.EqualTo(TimeSpan.FromSeconds(60)));
    }

    [TestCase("--connect-rate 5k/s")]
    [TestCase("--rate 5000")]
    public void InputOf_RateByEitherName_IsTheSame(string option) =>
        Assert.That(Spec($"10.0.0.5:443 -c 10k {option}").ConnectRate, Is.EqualTo(5000));

    [Test]
    public void ToWire_Spec_KeepsEverythingItSays()
    {
        var wire = WireTranslation.ToWire(Spec("10.0.0.5:443 -c 10k --rate 500/s --hold 5m --source-ports 10000-20000 --agents 3 --expect-greeting"));
        Assert.That(wire.Targets, Is.EqualTo(new[] { "10.0.0.5:443" }));
        Assert.That(wire.Connections, Is.EqualTo(10_000));
        Assert.That(wire.OpeningCase, Is.EqualTo(V1.RunSpec.OpeningOneofCase.ConnectsPerSecond));
        Assert.That(wire.Hold.ToTimeSpan(), Is.EqualTo(TimeSpan.FromMinutes(5)));
        Assert.That(wire.SourcePorts, Is.EqualTo("10000-20000"));
        Assert.That((wire.HasAgents, wire.Agents, wire.ExpectGreeting), Is.EqualTo((true, 3u, true)));
    }

    [Test]
    public void InputOf_LabelsAndBackends_ArriveInTheSpecAndOnTheWire()
    {
        var spec = Spec("10.0.0.5:443 -c 10k --select zone=a --select rack=7 --backends 2 --backend-listen 9000-9009 --backend-select zone=b");
        var wire = WireTranslation.ToWire(spec);
        Assert.That(spec.Select, Is.EqualTo(new Dictionary<string, string> { ["rack"] = "7", ["zone"] = "a" }));
        Assert.That((spec.Backends, spec.BackendListen.Single()), Is.EqualTo((2, new PortSpan(9000, 9009))));
        Assert.That(wire.Select, Is.EqualTo(spec.Select));
        Assert.That((wire.Backends, wire.BackendListen, wire.BackendSelect["zone"]), Is.EqualTo((2u, "9000-9009", "b")));
        Assert.That(wire.Names, Is.Empty, "an address is no name");
    }

    [Test]
    public void ToWire_WorkloadAndWhatItTakes_ArriveAtTheOtherEnd()
    {
        var spec = Spec("10.0.0.5:443,444,weight=3 -c 10k --workload churn --lifetime 90s --close rst --reuse immediate --force "
            + "--provision-sources 10.0.1.0/24@eth0,10.0.2.0/24@eth0 --provision-sources 10.0.3.0/24@eth1");
        var there = RunSpecValidator.Validate(Coordinator.Api.WireTranslation.ToInput(WireTranslation.ToWire(spec)), _ => null).Spec!;
        Assert.That(spec.Targets.Single().Weight, Is.EqualTo(3));
        Assert.That(spec.Churn, Is.EqualTo(new ChurnSpec(TimeSpan.FromSeconds(90), V1.CloseMethod.Rst)));
        Assert.That((spec.Rest, spec.Force, spec.Provision.Length), Is.EqualTo((TimeSpan.Zero, true, 3)));
        Assert.That(there.Targets.Single().Weight, Is.EqualTo(3));
        Assert.That((there.Churn, there.Rest, there.Force), Is.EqualTo((spec.Churn, spec.Rest, spec.Force)));
        Assert.That(there.Provision, Is.EqualTo(spec.Provision));
    }

    [Test]
    public void ToWire_ResolvedName_IsPinned()
    {
        var wire = WireTranslation.ToWire(Spec("web.test:443 -c 10", _ => [new IpAddress(false, 0x0A000001)]));
        Assert.That(wire.Names.Single().Name, Is.EqualTo("web.test"));
        Assert.That(wire.Names.Single().Addresses.Single(), Is.EqualTo(new byte[] { 10, 0, 0, 1 }));
    }

    [Test]
    public void ToWire_NameForTheAgents_IsLeftToThem() =>
        Assert.That(WireTranslation.ToWire(Spec("web.test:443 -c 10", _ => null)).Names, Is.Empty);

    [TestCase("--select zone=a", "--select zone=a")]
    [TestCase("--backends 1 --backend-listen 9000 --backend-select zone=a", "--backend-select zone=a")]
    public async Task Run_LocallyWithAFleetsOption_SaysThatItNeedsACoordinator(string options, string named)
    {
        using var cli = new CliHarness();
        var code = await cli.RunAsync($"run 127.0.0.1:443 -c 10 {options}");
        Assert.That(code, Is.EqualTo(Coordinator.Verdicts.ExitCode.Invalid));
        Assert.That(cli.Error, Does.Contain(named).And.Contain("--coordinator"));
    }

    [Test]
    public async Task Run_LocallyWithTwoBackends_SaysThatOneIsEnough()
    {
        using var cli = new CliHarness();
        var code = await cli.RunAsync("run 127.0.0.1:443 -c 10 --backends 2 --backend-listen 9000");
        Assert.That(code, Is.EqualTo(Coordinator.Verdicts.ExitCode.Invalid));
        Assert.That(cli.Error, Does.Contain("--backends 2").And.Contain("--backends 1"));
    }

    private static RunSpec Spec(string line, Func<string, IReadOnlyList<IpAddress>?>? resolve = null)
    {
        var verb = new RunVerb();
        var command = new Command("run");
        foreach (var symbol in verb.Symbols)
        {
            if (symbol is Argument argument)
                command.Add(argument);
            else
                command.Add((Option)symbol);
        }

        var result = RunSpecValidator.Validate(verb.InputOf(command.Parse(line)), resolve ?? (_ => []));
        Assert.That(result.Errors, Is.Empty);
        return result.Spec!;
    }
}
