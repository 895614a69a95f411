/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.Pipeline;
import dev.holdfast.PipelineSnapshot;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.config.Holdfast;
import dev.holdfast.internal.AroundPolicy;
import dev.holdfast.internal.Nearest;
import dev.holdfast.internal.Numbered;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.Policy;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.InvalidEndpointRequestException;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;

/**
 * The actuator's endpoint {@code holdfast}. Reading shows each pipeline: its order, its settings, its numbers and what changed last.
 * Writing forces a breaker, or puts a policy into shadow.
 */
@Endpoint(id = "holdfast")
public final class HoldfastEndpoint {
    private static final SafeLog LOG = SafeLog.of(Holdfast.class.getName());

    private static final Pattern EMPTY_SEGMENTS = Pattern.compile("/+");

    private final Holdfast holdfast;

    /** Of these pipelines. */
    public HoldfastEndpoint(Holdfast holdfast) {
        this.holdfast = holdfast;
    }

    /** What may be done to a pipeline. */
    public enum Action {
        /** Its breaker rejects every call, until it is closed. */
        OPEN,
        /** Its breaker is closed, with nothing counted. */
        CLOSE,
        /** Its breaker lets every call pass, until it is closed. */
        DISABLE,
        /** A policy decides and counts, and changes nothing. */
        SHADOW,
        /** A policy that is in shadow is active again. */
        ENFORCE
    }

    /** All pipelines, those of keys, too. */
    @ReadOperation
    public Map<String, Object> pipelines() {
        return Map.of(
                "pipelines",
                holdfast.pipelines().stream().map(HoldfastEndpoint::shown).toList());
    }

    /**
     * One pipeline.
     *
     * @param path its name; that of an instance with a key has slashes
     * @return null, which is a 404 with the reason, if there is none of this name
     */
    @ReadOperation
    public @Nullable Map<String, Object> pipeline(@Selector(match = Selector.Match.ALL_REMAINING) String... path) {
        String name = String.join("/", path);
        String asked = withoutEmptySegments(name);
        Optional<Pipeline> found = holdfast.pipelines().stream()
                .filter(one -> withoutEmptySegments(one.name()).equals(asked))
                .findFirst();
        if (found.isEmpty()) {
            LOG.info(refusal(unknown(name))); // who may only read does not wake anybody
        }
        return found.map(HoldfastEndpoint::shown).orElse(null);
    }

    /** Why {@link #pipeline} gives none. */
    String missing(String... path) {
        return String.valueOf(unknown(String.join("/", path)).getMessage());
    }

    /** Servers drop empty segments, such as that in {@code shops/http://a.example}. */
    private static String withoutEmptySegments(String name) {
        return EMPTY_SEGMENTS.matcher(name).replaceAll("/");
    }

    /**
     * Does something to a pipeline and to its instances with a key, in this process. A breaker that is forced stays so until a reload
     * changes its {@code initial-state}, and a shadow until a reload changes the section of the policy. An instance that is made later
     * is as configured.
     *
     * @param pipeline its name; that of an instance with a key as reading shows it: then to this one alone
     * @param policy the kind of the policy, as in a file: {@code circuit-breaker}
     * @param action the name of an {@link Action}, in any case
     * @return the pipeline afterwards, the names of its instances that were changed, and why others could not be
     * @throws InvalidEndpointRequestException if there is no such pipeline or policy, or if it cannot be done
     */
    @WriteOperation
    @SuppressWarnings(
            "deprecation") // Spring Boot 3 knows no other annotation, and refuses without a word what it does not know
    public Map<String, Object> change(
            @org.springframework.lang.Nullable String pipeline,
            @org.springframework.lang.Nullable String policy,
            @org.springframework.lang.Nullable String action) {
        try {
            return changed(
                    given("pipeline", pipeline, "the name of a pipeline"),
                    given("policy", policy, "the kind of a policy, such as circuit-breaker"),
                    action(action));
        } catch (InvalidEndpointRequestException refused) {
            LOG.warn(refusal(refused), null); // somebody believes that it was done
            throw refused;
        }
    }

    /** By default Spring Boot does not tell the reason of a bad request. */
    private static String refusal(InvalidEndpointRequestException refused) {
        return "a request to the actuator's endpoint is refused: " + refused.getMessage();
    }

    private static String given(String name, @Nullable String value, String expected) {
        if (value == null || value.isEmpty()) {
            throw refused(name + ": is " + (value == null ? "missing" : "empty") + "; expected " + expected);
        }
        return value;
    }

    private static Action action(@Nullable String text) {
        List<String> known = Arrays.stream(Action.values())
                .map(one -> one.name().toLowerCase(Locale.ROOT))
                .toList();
        String expected = "one of " + known;
        String given = given("action", text, expected);
        int at = known.indexOf(given.toLowerCase(Locale.ROOT));
        if (at < 0) {
            throw refused("action: is " + given + "; "
                    + Nearest.to(given, known)
                            .map(near -> "did you mean " + near + "?")
                            .orElse("expected " + expected));
        }
        return Action.values()[at];
    }

    private Map<String, Object> changed(String pipeline, String policy, Action action) {
        Pipeline found = holdfast.pipelines().stream()
                .filter(one -> one.name().equals(pipeline))
                .findFirst()
                .orElseThrow(() -> unknown(pipeline));
        List<Pipeline> instances = instances(pipeline);
        if (instances.isEmpty()) {
            change(found, policy, action);
            log(found, "", policy, action);
            return shown(found);
        }
        // One may be as is asked for already, or have gone: then the others are changed all the same.
        List<String> changed = new ArrayList<>();
        List<String> refused = new ArrayList<>();
        for (Pipeline one : all(found, instances)) {
            try {
                change(one, policy, action);
                changed.add(one.name());
            } catch (InvalidEndpointRequestException cannot) {
                refused.add(String.valueOf(cannot.getMessage()));
            }
        }
        if (changed.isEmpty()) {
            throw new InvalidEndpointRequestException(refused.get(0), refused.get(0));
        }
        changed.remove(found.name());
        log(found, " and " + changed.size() + " of its " + instances.size() + " instances", policy, action);
        Map<String, Object> shown = shown(found);
        shown.put("instances", changed);
        shown.put("refused", refused);
        return shown;
    }

    private static List<Pipeline> all(Pipeline found, List<Pipeline> instances) {
        List<Pipeline> all = new ArrayList<>(instances);
        all.add(0, found);
        return all;
    }

    /** None of a pipeline that is an instance itself. */
    private List<Pipeline> instances(String name) {
        try {
            return holdfast.instances(name);
        } catch (IllegalArgumentException anInstance) {
            return List.of();
        }
    }

    /** A warning, since it takes protection away, or all calls. */
    private static void log(Pipeline found, String more, String policy, Action action) {
        LOG.warn(
                "pipeline '" + found.name() + "'" + more + ": " + policy + ": " + action
                        + ", by the actuator's endpoint",
                null);
    }

    private static void change(Pipeline found, String policy, Action action) {
        try {
            switch (action) {
                case OPEN -> breaker(found, policy).transitionToForcedOpenState();
                case CLOSE -> breaker(found, policy).reset();
                case DISABLE -> breaker(found, policy).transitionToDisabledState();
                case SHADOW -> found.shadow(policy);
                case ENFORCE -> found.enforce(policy);
            }
        } catch (IllegalArgumentException cannot) {
            throw refused(withoutCode(String.valueOf(cannot.getMessage())));
        }
    }

    /** What to do in code is no advice here. */
    private static String withoutCode(String message) {
        int advice = message.indexOf("; use replace()");
        return advice < 0 ? message : message.substring(0, advice);
    }

    private static CircuitBreaker breaker(Pipeline pipeline, String name) {
        List<Policy> policies = pipeline.policies();
        List<String> names = Numbered.names(policies);
        int at = names.indexOf(name);
        if (at >= 0 && AroundPolicy.behind(policies.get(at)) instanceof CircuitBreakerPolicy breaker) {
            return breaker.asResilience4j();
        }
        List<String> breakers = IntStream.range(0, names.size())
                .filter(i -> ShadowPolicy.inside(policies.get(i)) instanceof CircuitBreakerPolicy)
                .mapToObj(names::get)
                .toList();
        String of = "pipeline '" + pipeline.name() + "'";
        if (breakers.contains(name)) {
            throw refused(of + ": " + name + " is in shadow and rejects nothing; expected it enforced before");
        }
        throw refused(of
                + (at < 0 ? " has no active breaker of the name " + name : ": " + name + " is no circuit breaker")
                + "; "
                + Nearest.to(name, breakers)
                        .map(near -> "did you mean " + near + "?")
                        .orElse("it has " + (breakers.isEmpty() ? "none" : breakers)));
    }

    private InvalidEndpointRequestException unknown(String name) {
        try {
            holdfast.pipeline(name);
            return refused("there is no pipeline '" + name + "' any more");
        } catch (IllegalArgumentException e) {
            return refused(String.valueOf(e.getMessage()));
        }
    }

    private static InvalidEndpointRequestException refused(String why) {
        return new InvalidEndpointRequestException(why, why);
    }

    private static Map<String, Object> shown(Pipeline pipeline) {
        PipelineSnapshot snapshot = pipeline.snapshot();
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("name", snapshot.name());
        shown.put(
                "order",
                snapshot.policies().stream()
                        .map(PipelineSnapshot.PolicySnapshot::name)
                        .toList());
        shown.put(
                "policies",
                snapshot.policies().stream().map(HoldfastEndpoint::shown).toList());
        shown.put("changes", snapshot.changes());
        shown.put("warnings", snapshot.warnings());
        shown.put("advice", snapshot.advice());
        return shown;
    }

    /** Times as texts, whatever the application's JSON makes of a duration. */
    private static Map<String, Object> shown(PipelineSnapshot.PolicySnapshot policy) {
        Map<String, Object> settings = new LinkedHashMap<>(policy.settings());
        settings.replaceAll(
                (name, value) -> value instanceof Number || value instanceof Boolean ? value : value.toString());
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("name", policy.name());
        shown.put("settings", settings);
        shown.put("numbers", policy.numbers());
        return shown;
    }
}
