using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>The clock source: a slow one makes each reading of the time a trap into the hypervisor or a device.</summary>
internal static class ClockCheck
{
    private const string Name = "clock";
    private static readonly string[] _slow = ["hpet", "acpi_pm", "jiffies", "pit", "refined-jiffies"];

    public static HostCheck Check(HostFacts host, HostNeed? need)
    {
        if (host.ClockSource.Length == 0)
            return new(Name, "the clock source cannot be read", Verdict.Unknown) { Needed = "a clock that is read without a system call" };
        var value = host.ClockSource + host.ClockSynchronised switch
        {
            true => ", synchronised",
            false => ", not synchronised (times of this host in logs are its own)",
            null => "",
        };
        return Array.IndexOf(_slow, host.ClockSource) < 0
            ? new(Name, value, Verdict.Ok) { Needed = "a clock that is read without a system call; runs do not need it synchronised" }
            : new(Name, value, need is null ? Verdict.Note : Verdict.Warning)
            {
                Needed = "tsc, kvm-clock or another that is read without a system call: reactors read it at each turn",
                Remedy = "echo tsc > /sys/devices/system/clocksource/clocksource0/current_clocksource",
                Risk = "the kernel left tsc because it drifted, or because the hypervisor does not offer it: see dmesg",
            };
    }
}
