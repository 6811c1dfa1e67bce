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

    private static RunSpec Spec(string line)
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

        var result = RunSpecValidator.Validate(verb.InputOf(command.Parse(line)), _ => []);
        Assert.That(result.Errors, Is.Empty);
        return result.Spec!;
    }
}
