/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.config.Node.Entry;
import dev.holdfast.config.Node.Kind;
import dev.holdfast.config.Node.Mapping;
import dev.holdfast.config.Node.Scalar;
import dev.holdfast.config.Node.Sequence;
import dev.holdfast.internal.Nearest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a pipeline takes from others: what it {@code extends}, and from {@code defaults} the options of its sections. Works on
 * nodes, so that a problem is reported where it was written.
 */
final class Inheritance {
    static final String EXTENDS = "extends";
    static final String WITHOUT = "without";

    /** The built-in template: what {@code Pipeline.standard} has. */
    static final String STANDARD = "standard";

    private static final List<String> STANDARD_SECTIONS =
            List.of("deadline", "retry", "circuit-breaker", "bulkhead", "timeout");

    /** What {@code defaults} do not merge into a pipeline. Of these, only the classifier and the keys are merged with those of what it extends. */
    private static final Set<String> WHOLE = Set.of(
            PlanReader.CLASSIFIER,
            PlanReader.ORDER,
            PlanReader.KEYS_OF_A_PIPELINE,
            PlanReader.ADVICE,
            PlanReader.SILENCE,
            EXTENDS,
            WITHOUT);

    private final Factories factories;
    private final Problems problems;
    private final Map<String, Found> known = new LinkedHashMap<>();
    private final Map<String, Mapping> inherited = new HashMap<>();
    private final Set<String> incomplete = new HashSet<>();
    private Map<String, Entry> defaults = Map.of();

    /** Items of {@code without} whose section stands beside them in the same file. */
    private final Set<Node> contradictions = new HashSet<>();

    private record Found(Place place, Mapping sections) {}

    Inheritance(Factories factories, Problems problems) {
        this.factories = factories;
        this.problems = problems;
    }

    void defaults(List<Entry> sections) {
        defaults = byKey(sections);
    }

    /** Makes a template or a pipeline known, which others may extend. */
    void know(String name, Place place, Mapping sections) {
        known.put(name, new Found(place, sections));
    }

    /** All that a pipeline has, with what it inherits, and the defaults of its sections. */
    Mapping resolved(String name, Place place, Mapping own) {
        Mapping all = inherited(name, place, own, new LinkedHashSet<>());
        List<Entry> entries = new ArrayList<>();
        for (Entry entry : all.entries()) {
            Entry given = WHOLE.contains(entry.key()) ? null : defaults.get(entry.key());
            entries.add(given == null ? entry : over(given, entry));
        }
        for (String key : PlanReader.OF_DEFAULTS) {
            Entry given = WHOLE.contains(key) ? defaults.get(key) : null;
            if (given != null && all.find(key).isEmpty()) {
                entries.add(given);
            }
        }
        return new Mapping(all.at(), entries);
    }

    /** Whether it extends what is not there, itself or further up. Then nobody knows what it has. */
    boolean isIncomplete(String name) {
        return incomplete.contains(name);
    }

    /** What the nearest one has whose order a pipeline inherits; null if the order is its own. */
    @Nullable
    Mapping giverOfOrder(Mapping own) {
        Mapping giver = null;
        for (Mapping one = own; one.find(PlanReader.ORDER).isEmpty(); ) {
            String name = one.find(EXTENDS)
                    .map(entry -> entry.value() instanceof Scalar scalar ? scalar.text() : "")
                    .orElse("");
            Found found = known.get(name);
            if (found == null) {
                return null;
            }
            giver = inherited.get(name);
            one = found.sections();
        }
        return giver;
    }

    /** What was probably meant by this in place of sections: {@code extends: standard}. */
    Optional<String> meant(Node node) {
        Set<String> names = new LinkedHashSet<>(known.keySet());
        names.add(STANDARD);
        return node instanceof Scalar scalar && scalar.hasValue()
                ? Nearest.to(scalar.text(), names).map(name -> EXTENDS + ": " + name)
                : Optional.empty();
    }

    private Mapping inherited(String name, Place place, Mapping own, Set<String> chain) {
        chain.add(name);
        Mapping base = own.find(EXTENDS)
                .flatMap(entry -> parent(place.child(entry), entry.value(), chain))
                .orElseGet(() -> new Mapping(own.at(), ofEveryPipeline()));
        Mapping all = sections(base, own);
        Set<String> left = own.find(WITHOUT)
                .filter(entry -> !isIncomplete(name))
                .map(entry -> without(place.child(entry), entry.value(), all))
                .orElse(Set.of());
        List<Entry> entries = all.entries().stream()
                .filter(entry -> !entry.key().equals(EXTENDS) && !entry.key().equals(WITHOUT))
                .filter(entry -> !left.contains(entry.key()))
                .toList();
        return new Mapping(all.at(), entries);
    }

    private Optional<Mapping> parent(Place place, Node node, Set<String> chain) {
        Optional<Mapping> found = found(place, node, chain);
        boolean whole = found.isPresent() && !(node instanceof Scalar scalar && isIncomplete(scalar.text()));
        if (!whole) {
            incomplete.addAll(chain);
        }
        return found;
    }

    private Optional<Mapping> found(Place place, Node node, Set<String> chain) {
        Place here = place.value(node);
        if (!(node instanceof Scalar scalar) || !scalar.hasValue()) {
            problems.add(here, node.fact(), "the name of a template or of another pipeline");
            return Optional.empty();
        }
        String name = scalar.text();
        if (chain.contains(name)) {
            problems.add(here, "goes round: " + String.join(" extends ", chain) + " extends " + name, "no circle");
            return Optional.empty();
        }
        if (chain.size() > Bounds.DEPTH) {
            throw problems.stop(here, "extends too many others in a row", "at most " + Bounds.DEPTH);
        }
        Found found = name.equals(STANDARD) ? null : known.get(name);
        if (found != null) {
            Mapping before = inherited.get(name);
            Mapping all = before == null ? inherited(name, found.place(), found.sections(), chain) : before;
            inherited.put(name, all);
            return Optional.of(all);
        }
        Found namesake = known.get(STANDARD);
        if (name.equals(STANDARD) && namesake != null) {
            Location at = namesake.place().at();
            String where = at.line() == 0 ? at.file() : at.file() + ":" + at.line();
            problems.add(
                    here, "is standard, which is built in, and also the pipeline of " + where, "another name there");
            return Optional.empty();
        }
        if (name.equals(STANDARD)) {
            return Optional.of(standard(node.at()));
        }
        Set<String> names = new LinkedHashSet<>(known.keySet());
        names.add(STANDARD);
        names.removeAll(chain);
        problems.add(
                here,
                "is " + scalar.described() + ", which is no template and no pipeline",
                "one of " + String.join(", ", names) + "; if " + scalar.described()
                        + " stands in another file, is that file read, or imported?",
                Nearest.to(name, names));
        return Optional.empty();
    }

    private Mapping standard(Location at) {
        Node nothing = new Scalar(at, Kind.NOTHING, "");
        List<Entry> entries = new ArrayList<>(ofEveryPipeline());
        STANDARD_SECTIONS.forEach(key -> entries.add(new Entry(at, key, nothing)));
        return new Mapping(at, entries);
    }

    /** What defaults give to a pipeline that does not mention it. A pipeline leaves it out as it does what it extends. */
    private List<Entry> ofEveryPipeline() {
        Entry histograms = defaults.get(PlanReader.HISTOGRAMS);
        return histograms == null ? List.of() : List.of(histograms);
    }

    private Set<String> without(Place place, Node node, Mapping all) {
        Set<String> present = new LinkedHashSet<>(byKey(all.entries()).keySet());
        present.removeAll(WHOLE);
        Set<String> left = new HashSet<>();
        for (Node item : node.items()) {
            String name = named(item);
            if (present.contains(name) && contradictions.contains(item)) {
                problems.add(place.value(item), "names " + name + ", which stands here itself", "one or the other");
            } else if (present.contains(name)) {
                left.add(name);
            } else {
                String what = item.isNothing()
                        ? "has no value"
                        : "names " + item.described() + ", which this pipeline does not have";
                String expected = present.isEmpty()
                        ? "no `without`: there is nothing to leave out"
                        : "a list of " + String.join(", ", present);
                problems.add(place.value(item), what, expected, Nearest.to(name, present));
            }
        }
        return left;
    }

    private static String named(Node item) {
        return item instanceof Scalar scalar && !scalar.isNothing() ? scalar.text() : "";
    }

    // ---- merging

    /** Names and what belongs to each: a later file adds to the earlier ones. */
    Mapping named(Mapping base, Mapping over) {
        return merged(base, over, (earlier, later) -> {
            if (earlier.value() instanceof Mapping a && later.value() instanceof Mapping b) {
                return new Entry(later.at(), later.key(), sections(takenBack(a, b), b));
            }
            return later.value().isNothing() ? earlier : later;
        });
    }

    /** Notes what one file has and leaves out at once: once files are merged, nobody knows what is of which. */
    void noteContradictions(Mapping names) {
        for (Entry pipeline : names.entries()) {
            if (pipeline.value() instanceof Mapping sections) {
                sections.find(WITHOUT).stream()
                        .flatMap(without -> without.value().items().stream())
                        .filter(item -> sections.find(named(item)).isPresent())
                        .forEach(contradictions::add);
            }
        }
    }

    /** The earlier file no longer leaves out what the later one has. */
    private static Mapping takenBack(Mapping earlier, Mapping later) {
        List<Entry> entries = new ArrayList<>();
        for (Entry entry : earlier.entries()) {
            List<Node> items = entry.value().items();
            List<Node> left = !entry.key().equals(WITHOUT)
                    ? items
                    : items.stream()
                            .filter(item -> later.find(named(item)).isEmpty())
                            .toList();
            if (left.size() == items.size()) {
                entries.add(entry);
            } else if (!left.isEmpty()) {
                entries.add(new Entry(
                        entry.at(), entry.key(), new Sequence(entry.value().at(), left)));
            }
        }
        return new Mapping(earlier.at(), entries);
    }

    /** Sections by their keys: options of the second win over those of the first. */
    Mapping sections(Mapping base, Mapping over) {
        return merged(base, over, (earlier, later) -> {
            boolean isMerged = later.key().equals(PlanReader.KEYS_OF_A_PIPELINE)
                    || (later.key().equals(PlanReader.CLASSIFIER)
                            && !later.value().isNothing());
            if (isMerged) {
                return new Entry(later.at(), later.key(), options(earlier.value(), later.value()));
            }
            return WHOLE.contains(later.key()) ? later : over(earlier, later);
        });
    }

    private Entry over(Entry base, Entry over) {
        Node value = over.value();
        if (value.isNothing()) {
            value = base.value();
        } else if (!base.value().isNothing()) {
            value = options(normal(base), normal(over));
        }
        return new Entry(over.at(), over.key(), value);
    }

    private Node normal(Entry section) {
        return ShadowSection.normal(
                section.value(), factories.find(section.key()).flatMap(factory -> factory.shorthand()));
    }

    /** Options of a section: those of the second win over those of the first. */
    static Node options(Node base, Node over) {
        if (!(base instanceof Mapping earlier) || !(over instanceof Mapping later)) {
            // Nothing in place of options is all of them. In place of a value it is a mistake, which the reader of
            // options tells.
            return over.isNothing() && base instanceof Mapping ? base : over;
        }
        if (earlier.find(Layers.USE).isPresent() || later.find(Layers.USE).isPresent()) {
            return over; // another policy altogether
        }
        return merged(earlier, later, (a, b) -> new Entry(b.at(), b.key(), options(a.value(), b.value())));
    }

    /** Makes one entry of two with the same key. */
    private interface Merging {
        Entry merge(Entry base, Entry over);
    }

    private static Mapping merged(Mapping base, Mapping over, Merging merging) {
        Map<String, Entry> entries = byKey(base.entries());
        for (Entry entry : over.entries()) {
            Entry earlier = entries.get(entry.key());
            entries.put(entry.key(), earlier == null ? entry : merging.merge(earlier, entry));
        }
        return new Mapping(over.at(), List.copyOf(entries.values()));
    }

    private static Map<String, Entry> byKey(List<Entry> entries) {
        Map<String, Entry> byKey = new LinkedHashMap<>();
        entries.forEach(entry -> byKey.putIfAbsent(entry.key(), entry));
        return byKey;
    }
}
