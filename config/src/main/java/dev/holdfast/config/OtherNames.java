/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What other libraries call an option. Only names that are too far from the option's own for {@code Nearest}. */
final class OtherNames {
    /** Each line: the section, the other names in lower case without hyphens, and what was meant. */
    private static final String TABLE = """
            retry | maxretries retries retrycount | max-attempts, which counts the first attempt too: 3 retries are 4 attempts
            retry | attempts maxtries maxretryattempts | max-attempts
            retry | delay wait waitduration backoffdelay initialdelay initialinterval | initial under backoff
            retry | maxdelay maxinterval exponentialmaxwaitduration | max under backoff
            retry | delayfactor exponentialbackoffmultiplier | multiplier under backoff
            retry | randomizedwaitfactor enablerandomizedwait | jitter under backoff
            retry | intervalfunction | interval
            retry | timeout maxduration | the section deadline, for all attempts together
            retry | handle retryon retryexceptions | failures under classifier
            retry | aborton ignoreexceptions | ignored under classifier
            circuit-breaker | failurethreshold failureratio errorthreshold errorthresholdpercentage | failure-rate-threshold, in percent
            circuit-breaker | slowcallthreshold slowcallduration | slow-call-duration-threshold
            circuit-breaker | windowsize slidingwindow | sliding-window-size
            circuit-breaker | minimumcalls minimumthroughput requestvolumethreshold failureexecutionthreshold | minimum-number-of-calls
            circuit-breaker | delay waitduration resettimeout breakduration sleepwindow | wait-duration-in-open-state
            circuit-breaker | permittedcalls successthreshold | permitted-number-of-calls-in-half-open-state
            circuit-breaker | handle recordexceptions | failures under classifier
            circuit-breaker | ignoreexceptions | ignored under classifier
            bulkhead | maxconcurrent maxconcurrency maxparallel permits size poolsize maxthreadpoolsize | max-concurrent-calls
            bulkhead | maxwaitduration maxwaittime | max-wait
            bulkhead | queue queuesize maxqueuesize queuecapacity | max-waiting-calls
            throttle | limitforperiod rate permits requestspersecond maxexecutions | limit
            throttle | limitrefreshperiod refreshperiod period window interval | per
            throttle | timeoutduration maxwaittime | max-wait
            throttle | capacity | burst
            timeout | timeoutduration duration | limit
            deadline | timeoutduration duration timeout | limit
            stale-cache | ttl expireafterwrite | fresh
            stale-cache | size maxsize maximumsize capacity | max-entries
            """;

    private static final Map<String, String> MEANT = TABLE.lines()
            .map(line -> line.split(" \\| "))
            .flatMap(line -> Stream.of(line[1].split(" ")).map(name -> Map.entry(line[0] + "." + name, line[2])))
            .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, Map.Entry::getValue));

    private OtherNames() {}

    /** What was meant, by {@code section.name}. */
    static Map<String, String> all() {
        return MEANT;
    }

    /** The option of a section, in words, that has this name elsewhere. */
    static Optional<String> meant(String section, String name) {
        String letters = name.replaceAll("[-_]", "").toLowerCase(Locale.ROOT);
        return Optional.ofNullable(MEANT.get(section + "." + letters));
    }
}
