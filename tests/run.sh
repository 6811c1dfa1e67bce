#!/usr/bin/env bash
# Installs what the tests need, builds everything, runs every test project and ends with "N passed, N failed".
#
#   tests/run.sh                      all tests but the long ones
#   tests/run.sh --long               the long ones too (ten minutes and more each), and others in their long form
#   tests/run.sh --filter EXPRESSION  some of them, in the words of `dotnet test --filter`
#
# Wants the .NET SDK of global.json, Debian or Ubuntu, and root (directly or by sudo): the end-to-end tests make network namespaces.
set -uo pipefail
cd "$(dirname "$0")/.."

usage() { sed -n '2,8s/^# \{0,1\}//p' "$0"; }

long=false
filter=
while [ $# -gt 0 ]; do
    case $1 in
        --long) long=true; export LOADHARNESS_LONG=1 ;;
        --filter) filter=${2:?--filter wants an expression}; shift ;;
        --filter=*) filter=${1#--filter=} ;;
        -h|--help) usage; exit 0 ;;
        *) echo "tests/run.sh: unknown argument $1" >&2; usage >&2; exit 2 ;;
    esac
    shift
done

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 LC_ALL=C.UTF-8
results=artifacts/test-results
configuration=Release

finish() { # passed, failed
    echo "$1 passed, $2 failed"
    [ "$2" -eq 0 ] && [ "$1" -gt 0 ]
    exit
}

give_up() { # why
    echo "tests/run.sh: $1" >&2
    finish 0 1
}

step() { printf '\n== %s (after %d s)\n' "$1" "$SECONDS"; }

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo > /dev/null || give_up "wants root for network namespaces; run it as root or install sudo"
    as_root=(sudo --preserve-env=PATH,HOME,DOTNET_ROOT,DOTNET_CLI_TELEMETRY_OPTOUT,DOTNET_NOLOGO,LC_ALL,LOADHARNESS_LONG,LOADHARNESS_SEED env "PATH=$PATH")
fi

install_missing() {
    local missing=()
    command -v haproxy > /dev/null || [ -x /usr/sbin/haproxy ] || missing+=(haproxy)
    command -v nft > /dev/null || [ -x /usr/sbin/nft ] || missing+=(nftables)
    command -v ip > /dev/null && command -v ss > /dev/null || missing+=(iproute2)
    command -v curl > /dev/null || missing+=(curl)
    command -v tcpdump > /dev/null || missing+=(tcpdump)
    command -v nsenter > /dev/null || missing+=(util-linux)
    command -v systemd-analyze > /dev/null || missing+=(systemd)
    command -v ps > /dev/null || missing+=(procps)
    # NativeAOT links with clang, or else with gcc, and against zlib.
    command -v clang > /dev/null || command -v gcc > /dev/null || missing+=(gcc libc6-dev)
    [ -e /usr/include/zlib.h ] || missing+=(zlib1g-dev)
    [ ${#missing[@]} -eq 0 ] && return 0
    step "Installing ${missing[*]}"
    command -v apt-get > /dev/null || give_up "cannot install ${missing[*]}: there is no apt-get; install them by hand"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

# Results in TRX files whose outcome is (or, with -v, is not) the one asked for. Tests that were not executed are neither.
count() { # pattern, files...
    local pattern=$1; shift
    cat "$@" 2> /dev/null | grep -o '<UnitTestResult [^>]*' | grep -v 'outcome="NotExecuted"' | grep -c $pattern
}

# The failed tests of TRX files, each with its message and where it failed: last, so that they are seen in a log that was cut.
show_failed() { # files...
    cat "$@" 2> /dev/null | awk '
        function part(tag,    from, to) {
            from = index($0, "<" tag ">"); to = index($0, "</" tag ">")
            return from ? substr($0, from + length(tag) + 2, to - from - length(tag) - 2) : ""
        }
        BEGIN { RS = "<UnitTestResult " }
        NR > 1 && /^[^>]*outcome="Failed"/ {
            match($0, /testName="[^"]*"/)
            printf "\n%s\n%s\n%s\n", substr($0, RSTART + 10, RLENGTH - 11), substr(part("Message"), 1, 4000), substr(part("StackTrace"), 1, 1500)
        }' | sed 's/&#x[DA];//g; s/&lt;/</g; s/&gt;/>/g; s/&quot;/"/g; s/&apos;/'"'"'/g; s/&amp;/\&/g'
}

PATH=$PATH:/usr/sbin:/sbin
command -v dotnet > /dev/null || give_up "there is no dotnet on the PATH; install the .NET SDK $(sed -n 's/.*"version": "\([^"]*\)".*/\1/p' global.json)"
install_missing || give_up "apt-get could not install what the tests need (see above)"

step "Building"
dotnet build LoadHarness.sln -c $configuration -v quiet || give_up "the build failed"

step "Publishing the agent with NativeAOT"
case $(uname -m) in
    x86_64) rid=linux-x64 ;;
    aarch64) rid=linux-arm64 ;;
    *) give_up "$(uname -m) is no processor that the agent is published for" ;;
esac
# Intermediate files of its own: the JIT build's stay as they are.
dotnet publish src/Agent -c $configuration -r $rid -p:PublishAot=true --artifacts-path artifacts/aot -o artifacts/agent-aot -v quiet \
    || give_up "publishing the agent with NativeAOT failed"

wanted=${filter:+($filter)}
$long || wanted="${wanted:+$wanted&}TestCategory!=Long"
rm -rf "$results"
mkdir -p "$results"
crashed=0
for project in tests/*.Tests; do
    name=$(basename "$project")
    step "$name"
    runner=()
    # Other users and network namespaces are for root alone.
    [ "$name" != Agent.Tests ] && runner=("${as_root[@]}")
    trx=$results/$name.trx
    "${runner[@]}" dotnet test "$project" -c $configuration --no-build --nologo \
        ${wanted:+--filter "$wanted"} --results-directory "$results" --logger "trx;LogFileName=$name.trx" \
        --logger "console;verbosity=normal" --blame-hang-timeout 20m --blame-hang-dump-type none
    code=$?
    failed=$(count '-v outcome="Passed"' "$trx")
    # A host that crashed has no result for the test that it died in, and without a filter a project without tests is a mistake.
    if { [ $code -ne 0 ] && [ "$failed" -eq 0 ]; } || { [ -z "$filter" ] && [ "$(count 'outcome=' "$trx")" -eq 0 ]; }; then
        echo "tests/run.sh: $name ended with code $code without naming a failed test; counted as one failure" >&2
        crashed=$((crashed + 1))
    fi
done

[ ${#as_root[@]} -gt 0 ] && "${as_root[@]}" chown -R "$(id -u):$(id -g)" "$results"
passed=$(count 'outcome="Passed"' "$results"/*.trx)
failed=$(($(count '-v outcome="Passed"' "$results"/*.trx) + crashed))
if [ "$passed" -eq 0 ] && [ "$failed" -eq 0 ]; then
    give_up "no test was run"
fi
[ "$failed" -gt 0 ] && step "Failed" && show_failed "$results"/*.trx
step "Done"
finish "$passed" "$failed"
