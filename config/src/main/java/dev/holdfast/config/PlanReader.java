/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.Classifier;
import dev.holdfast.HistogramOptions;
import dev.holdfast.config.Node.Entry;
import dev.holdfast.config.Node.Mapping;
import dev.holdfast.config.Node.Scalar;
import dev.holdfast.config.Node.Sequence;
import dev.holdfast.internal.Nearest;
import dev.holdfast.internal.Shown;
import dev.holdfast.retry.RetryBudget;
import dev.holdfast.spi.CallObserver.Histograms;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads the documents of all files as one: what pipelines share, and the pipelines with their sections, classifier and order.
 * Makes no pipeline.
 */
final class PlanReader {
    static final String EXPECTED = "the key pipelines, with at least one pipeline";

    static final String CLASSIFIER = "classifier";
    static final String ORDER = "order";
    static final String KEYS_OF_A_PIPELINE = "keys";
    static final String HISTOGRAMS = "histograms";
    static final String ADVICE = "advice";
    static final String SILENCE = "silence";
    private static final String PIPELINES = "pipelines";
    private static final String DEFAULTS = "defaults";
    private static final String TEMPLATES = "templates";
    private static final String SHARED = "shared";
    private static final List<String> KEYS = List.of(DEFAULTS, TEMPLATES, SHARED, PIPELINES);
    private static final Set<String> SWITCHES = Set.of("enabled", "disabled");

    /** What a pipeline or a template may have beside sections. */
    static final Set<String> OTHERS = new LinkedHashSet<>(List.of(
            CLASSIFIER,
            ORDER,
            KEYS_OF_A_PIPELINE,
            HISTOGRAMS,
            ADVICE,
            SILENCE,
            Inheritance.EXTENDS,
            Inheritance.WITHOUT));

    /** What {@code defaults} may have beside sections. */
    static final Set<String> OF_DEFAULTS = new LinkedHashSet<>(List.of(CLASSIFIER, HISTOGRAMS, ADVICE, SILENCE));

    private final Factories factories;
    private final Bindings bindings;
    private final Values values;
    private final Layers layers;
    private final Inheritance inheritance;
    private final ClassifierReader classifiers;
    private final Memory memory;
    private final Problems problems;
    private int inherited;
    private int policies;

    PlanReader(Factories factories, Bindings bindings, Memory memory, Problems problems) {
        this.memory = memory;
        this.factories = factories;
        this.bindings = bindings;
        this.values = new Values(bindings, problems);
        this.layers = new Layers(factories, bindings, values, memory, problems);
        this.inheritance = new Inheritance(factories, problems);
        this.classifiers = new ClassifierReader(values, problems);
        this.problems = problems;
    }

    /** Reads the documents in the order of the files. A later one adds to the earlier ones. */
    List<PipelinePlan> read(List<Node> roots) {
        Place place = Place.document(roots.get(0).at());
        Map<String, Entry> top = new LinkedHashMap<>();
        boolean misspelt = false;
        for (Node root : roots) {
            misspelt |= document(root, top);
        }
        shared(place, top.get(SHARED));
        defaults(place, top.get(DEFAULTS));
        know(place, top.get(TEMPLATES));
        know(place, top.get(PIPELINES));
        List<PipelinePlan> plans = new ArrayList<>();
        Entry pipelines = top.get(PIPELINES);
        if (pipelines != null) {
            pipelines(place.child(pipelines), pipelines.value(), plans);
        } else if (!misspelt) {
            problems.add(place, "has no pipelines", EXPECTED);
        }
        return plans;
    }

    /** Adds what a document has. Returns true if pipelines may be there under another name. */
    private boolean document(Node root, Map<String, Entry> top) {
        Place place = Place.document(root.at());
        if (!(root instanceof Mapping mapping)) {
            problems.add(place, root.isNothing() ? "is empty" : "is " + root.described(), EXPECTED);
            return true;
        }
        boolean misspelt = false;
        for (Entry entry : mapping.entries()) {
            if (KEYS.contains(entry.key())) {
                if (entry.value() instanceof Mapping names) {
                    inheritance.noteContradictions(names);
                }
                top.merge(entry.key(), entry, this::merged);
            } else if (SWITCHES.contains(entry.key())) {
                problems.add(
                        place.child(entry),
                        "there is no such switch",
                        "mode: shadow in the sections below defaults, to turn protection off");
            } else {
                Optional<String> nearest = Nearest.to(entry.key(), KEYS);
                problems.add(
                        place.child(entry),
                        "unknown key",
                        "one of " + String.join(", ", KEYS)
                                + (isPipeline(entry) ? "; a pipeline stands below pipelines" : ""),
                        nearest);
                misspelt |= nearest.equals(Optional.of(PIPELINES));
            }
        }
        return misspelt;
    }

    private boolean isPipeline(Entry entry) {
        return entry.value() instanceof Mapping mapping
                && mapping.entries().stream()
                        .map(Entry::key)
                        .anyMatch(
                                key -> OTHERS.contains(key) || factories.keys().contains(key));
    }

    private Entry merged(Entry earlier, Entry later) {
        if (!(earlier.value() instanceof Mapping a) || !(later.value() instanceof Mapping b)) {
            return later.value().isNothing() ? earlier : later;
        }
        Mapping both = later.key().equals(DEFAULTS) ? inheritance.sections(a, b) : inheritance.named(a, b);
        return new Entry(later.at(), later.key(), both);
    }

    /** The entries of a key at the top. */
    private List<Entry> entries(Place place, @Nullable Entry top, String expected) {
        if (top == null || top.value().isNothing()) {
            return List.of();
        }
        if (top.value() instanceof Mapping mapping) {
            return mapping.entries();
        }
        problems.add(place.child(top).value(top.value()), "is " + top.value().described(), expected);
        return List.of();
    }

    private void shared(Place place, @Nullable Entry top) {
        List<Entry> entries = new ArrayList<>(entries(place, top, "names, and one section below each"));
        // A policy may name a budget that stands below it.
        entries.sort(Comparator.comparing(entry -> !isBudget(entry.value())));
        for (Entry entry : entries) {
            Place here = place.child(Objects.requireNonNull(top)).child(entry);
            if (!Names.isName(entry.key())) {
                problems.add(here, "is no name", Names.EXPECTED);
                layers.isShared(entry.key());
            } else if (entry.value() instanceof Mapping one && one.entries().size() == 1) {
                share(here, entry.key(), one.entries().get(0));
            } else {
                String expected = "one section, such as bulkhead: { max-concurrent-calls: 20 }";
                problems.add(here.value(entry.value()), "is not one section", expected);
                layers.isShared(entry.key());
            }
        }
    }

    private static boolean isBudget(Node node) {
        return node instanceof Mapping one && one.find(Form.BUDGET.key()).isPresent();
    }

    private void share(Place place, String name, Entry section) {
        Place here = place.child(section);
        if (bindings.has(name)) {
            problems.add(place, "is bound in code, too", "another name");
        } else if (section.key().equals(Form.BUDGET.key())) {
            Section<RetryBudget.Builder> budget =
                    new SectionReader<>(Form.BUDGET, values, problems).read(here, section.value());
            Object madeOf = List.of(name, budget.values());
            memory.kept(madeOf, () -> budget.make(RetryBudget.Builder::build, problems))
                    .ifPresent(made -> bindings.add(name, made));
        } else {
            layers.share(name, here, section);
        }
    }

    private void defaults(Place place, @Nullable Entry top) {
        List<Entry> entries = entries(place, top, "sections, with the options that pipelines do not say");
        if (top != null && !entries.isEmpty()) {
            parts(place.child(top), entries, OF_DEFAULTS);
            inheritance.defaults(entries);
        }
    }

    private void know(Place place, @Nullable Entry top) {
        // What is wrong with the pipelines as a whole is reported when they are read.
        boolean templates = top != null && top.key().equals(TEMPLATES);
        List<Entry> entries = templates || (top != null && top.value() instanceof Mapping)
                ? entries(place, top, "names, and sections below each")
                : List.of();
        for (Entry entry : entries) {
            Place here = place.child(Objects.requireNonNull(top)).child(entry);
            if (templates) {
                checkName(here, entry.key());
            }
            if (templates && entry.key().equals(Inheritance.STANDARD)) {
                problems.add(here, "is built in", "another name");
            } else if (entry.value() instanceof Mapping sections) {
                inheritance.know(entry.key(), here, sections);
                if (templates) {
                    parts(here, sections.entries(), OTHERS);
                }
            } else if (templates && !isMisplaced(here, entry)) {
                problems.add(here.value(entry.value()), entry.value().fact(), "sections");
            }
        }
    }

    /** Reads sections that may be incomplete, so that a mistake is reported also where nobody uses them. */
    private void parts(Place place, List<Entry> sections, Set<String> others) {
        for (Entry entry : sections) {
            Place here = place.child(entry);
            boolean uses = entry.value() instanceof Mapping mapping
                    && mapping.find(Layers.USE).isPresent();
            if (factories.find(entry.key()).isPresent() && !uses) {
                factories.find(entry.key()).ifPresent(factory -> layers.look(factory, here, entry.value()));
            } else if (entry.key().equals(CLASSIFIER)) {
                classifiers.read(here, entry.value());
            } else if (entry.key().equals(ADVICE)) {
                var unused = values.read(Boolean.class, here, entry.value());
            } else if (entry.key().equals(SILENCE)) {
                var unused = silenced(here, entry.value());
            } else if (entry.key().equals(HISTOGRAMS)) {
                new SectionReader<>(Form.HISTOGRAMS, values, problems).read(here, entry.value());
            } else if (!others.contains(entry.key()) && OTHERS.contains(entry.key())) {
                problems.add(
                        here,
                        "unknown section",
                        "it below the name of a pipeline, or of a template that several pipelines extend");
            } else if (!others.contains(entry.key())) {
                // What has no options has no defaults.
                boolean mayUse = !others.equals(OF_DEFAULTS)
                        || factories.find(entry.key()).isPresent();
                var unused = mayUse ? layers.layer(here, entry, others) : layers.own(here, entry, others);
            }
        }
    }

    private void pipelines(Place place, Node node, List<PipelinePlan> plans) {
        if (!(node instanceof Mapping mapping) || mapping.entries().isEmpty()) {
            String what = node.isNothing() || node instanceof Mapping ? "is empty" : "is " + node.described();
            problems.add(place.value(node), what, "at least one pipeline by its name");
            return;
        }
        for (Entry entry : mapping.entries()) {
            Place here = place.child(entry);
            if (entry.key().isBlank()) {
                problems.add(here, "the name is blank", "a name");
            } else if (!Shown.isVisible(entry.key())) {
                problems.add(here, "the name has characters that cannot be seen", "a name in one line");
            }
            checkName(here, entry.key());
            if (entry.value() instanceof Mapping sections && !sections.entries().isEmpty()) {
                plans.add(pipeline(entry.key(), here, sections));
            } else if (!isMisplaced(here, entry)) {
                Node value = entry.value();
                boolean empty = value.isNothing() || value instanceof Mapping;
                problems.add(
                        here.value(value),
                        empty ? "has no section" : "is " + value.described(),
                        Inheritance.EXTENDS + ": " + Inheritance.STANDARD + ", or at least one of "
                                + String.join(", ", factories.keys()),
                        inheritance.meant(value));
            }
        }
    }

    /** Reports what stands a level too far out, where a name stands. */
    private boolean isMisplaced(Place place, Entry entry) {
        Node value = entry.value();
        boolean known =
                OTHERS.contains(entry.key()) || factories.find(entry.key()).isPresent();
        boolean misplaced = known && !value.isNothing() && !(value instanceof Mapping);
        if (misplaced) {
            problems.add(
                    place.value(value),
                    "is " + value.described() + ", where the sections of a pipeline stand",
                    "the name of a pipeline or a template above it, and " + entry.key() + " one level further in");
        }
        return misplaced;
    }

    private void checkName(Place place, String name) {
        if (name.contains("${")) {
            problems.add(place, "the name has a placeholder, and nothing is put into a key", "a name without ${");
        }
    }

    private PipelinePlan pipeline(String name, Place place, Mapping own) {
        Mapping mapping = inheritance.resolved(name, place, own);
        count(mapping, place);
        Optional<Classifier> classifier = Optional.empty();
        @Nullable Entry order = null;
        KeySettings keys = KeySettings.DEFAULTS;
        Optional<Histograms> histograms = Optional.empty();
        boolean advised = false;
        List<String> silenced = List.of();
        // A section that cannot be read is kept, because the order may name it.
        Map<String, Optional<Layer>> sections = new LinkedHashMap<>();
        for (Entry entry : mapping.entries()) {
            Place here = place.child(entry);
            switch (entry.key()) {
                case CLASSIFIER -> classifier = classifiers.read(here, entry.value());
                case ORDER -> order = entry;
                case KEYS_OF_A_PIPELINE -> keys = keys(here, entry.value());
                case HISTOGRAMS -> histograms = histograms(here, entry.value());
                case ADVICE ->
                    advised = values.read(Boolean.class, here, entry.value()).orElse(false);
                case SILENCE -> silenced = silenced(here, entry.value());
                default -> sections.put(entry.key(), layers.layer(here, entry, OTHERS));
            }
        }
        // A wrong extends is told; what would follow from it is not.
        boolean whole = !inheritance.isIncomplete(name);
        if (sections.isEmpty() && whole) {
            problems.add(place, "has no section", "at least one of " + String.join(", ", factories.keys()));
        }
        List<Layer> ordered = order == null || !whole
                ? byPosition(place, sections)
                : inOrder(place, order, sections, mapping, inheritance.giverOfOrder(own));
        List<Layer> all =
                ordered.stream().flatMap(layer -> layer.withShadow().stream()).toList();
        if (all.size() > Bounds.OF_A_PIPELINE) {
            problems.add(
                    place,
                    "has " + all.size() + " policies",
                    "at most " + Bounds.OF_A_PIPELINE + ", since an instance with a key has one more");
        }
        policies += all.size();
        if (policies > Bounds.POLICIES) {
            String what = "has one policy too many, with those of the pipelines before it";
            throw problems.stop(place, what, "at most " + Bounds.POLICIES + " policies of all pipelines");
        }
        return new PipelinePlan(
                name, place, classifier.orElse(Classifier.DEFAULT), all, keys, histograms, advised, silenced);
    }

    /** The names of rules: one, or a list. */
    private List<String> silenced(Place place, Node node) {
        return node.items().stream()
                .flatMap(item -> values.read(String.class, place, item).stream()
                        .map(whole -> item instanceof Scalar scalar ? scalar.text() : whole)
                        .filter(rule -> isRule(place.value(item), rule, item)))
                .toList();
    }

    private boolean isRule(Place place, String rule, Node item) {
        if (!Names.isName(rule)) {
            problems.add(place, "is " + (rule.isBlank() ? "a blank text" : item.described()), "the name of a rule");
        }
        return Names.isName(rule);
    }

    private KeySettings keys(Place place, Node node) {
        Section<KeySettings.Builder> section = new SectionReader<>(Form.KEYS, values, problems).read(place, node);
        return section.make(KeySettings.Builder::build, problems).orElse(KeySettings.DEFAULTS);
    }

    private Optional<Histograms> histograms(Place place, Node node) {
        return new SectionReader<>(Form.HISTOGRAMS, values, problems)
                .read(place, node)
                .make(HistogramOptions::build, problems);
    }

    /** What pipelines inherit counts each time, as with aliases. */
    private void count(Node node, Place place) {
        inherited++;
        if (inherited > Bounds.VALUES) {
            String what = "is one value too many, with what pipelines inherit";
            throw problems.stop(place, what, "at most " + Bounds.VALUES + " values");
        }
        if (node instanceof Mapping mapping) {
            mapping.entries().forEach(entry -> count(entry.value(), place));
        } else if (node instanceof Sequence list) {
            list.items().forEach(item -> count(item, place));
        }
    }

    private List<Layer> byPosition(Place place, Map<String, Optional<Layer>> sections) {
        List<Layer> found = sections.values().stream().flatMap(Optional::stream).toList();
        for (Layer layer : found) {
            if (layer.position().isEmpty()) {
                problems.add(place, layer.key() + " has no place in the default order", "an order that names it");
            }
        }
        Comparator<Layer> position =
                Comparator.comparingInt(layer -> layer.position().orElse(0));
        return found.stream().sorted(position.thenComparing(Layer::key)).toList();
    }

    /**
     * The layers as the order says.
     *
     * @param giver whom the order is inherited from; null if the pipeline has it itself
     */
    private List<Layer> inOrder(
            Place pipeline, Entry order, Map<String, Optional<Layer>> sections, Mapping all, @Nullable Mapping giver) {
        Place place = pipeline.child(order);
        Node node = order.value();
        List<Layer> ordered = new ArrayList<>();
        boolean isOneOutside = node instanceof Scalar scalar && !scalar.isNothing() && scalar.isOutside();
        if (!node.isList() && !isOneOutside) {
            problems.add(place.value(node), node.fact(), "a list of the sections, outermost first");
            return ordered;
        }
        List<Node> items = node.items();
        if (items.size() > Bounds.LAYERS) {
            problems.add(place.value(node), "names " + items.size() + " layers", "at most " + Bounds.LAYERS);
            return ordered;
        }
        Map<String, Entry> missing = new LinkedHashMap<>();
        all.entries().stream()
                .filter(entry -> sections.containsKey(entry.key()) && !layers.isUnknown(entry))
                .forEach(entry -> missing.put(entry.key(), entry));
        for (Node item : items) {
            String name = item instanceof Scalar scalar ? scalar.text() : "";
            missing.remove(name);
            if (sections.containsKey(name)) {
                sections.get(name).ifPresent(ordered::add);
            } else if (giver != null
                    && !OTHERS.contains(name)
                    && giver.find(name).isPresent()) {
                String what = "inherits an order that names " + name + ", which it does not have";
                problems.add(pipeline, what, "an order of its own");
            } else {
                unknownLayer(place.value(item), item, sections.keySet());
                // A misspelt section is not left out.
                Nearest.to(name, sections.keySet()).ifPresent(missing::remove);
            }
        }
        if (giver != null) {
            missing.values().stream()
                    .filter(entry -> giver.find(entry.key()).isEmpty())
                    .forEach(entry -> problems.add(
                            pipeline.child(entry),
                            "is not in the inherited order",
                            "an order of its own beside it, of " + String.join(", ", sections.keySet())));
            missing.keySet().removeIf(key -> giver.find(key).isEmpty());
        }
        if (!missing.isEmpty()) {
            problems.add(place, "leaves out " + String.join(", ", missing.keySet()), "every section");
        }
        return ordered;
    }

    private void unknownLayer(Place place, Node item, Set<String> present) {
        String name = item.described();
        boolean known = item instanceof Scalar && factories.find(name).isPresent();
        problems.add(
                place,
                "names " + name + ", which is no section of this pipeline",
                known
                        ? "a section of its own, '" + name + ":' for the defaults"
                        : "one of " + String.join(", ", present),
                known || !(item instanceof Scalar) ? Optional.empty() : Nearest.to(name, present));
    }
}
