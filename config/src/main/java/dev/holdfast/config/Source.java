/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import java.io.ByteArrayOutputStream;
import java.util.List;

/** Where a configuration comes from. */
interface Source {
    /** Whether it can be read more than once. */
    boolean isReadAgain();

    /** What is in it now, whether or not it can be read. */
    Taken taken();

    /** What was in it at one moment: what is compared is what is read. */
    interface Taken {
        /** To see that it has changed. */
        byte[] contents();

        /** Its roots; a later one adds to the earlier ones. Empty if there is none, which is then reported. */
        List<Node> read(Placeholders placeholders, Problems problems);
    }

    /** What is in all of them now. */
    static List<Taken> taken(List<? extends Source> sources) {
        return sources.stream().map(Source::taken).toList();
    }

    /** The contents of all. */
    static byte[] contents(List<Taken> taken) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (Taken one : taken) {
            all.writeBytes(one.contents());
            all.write(0);
        }
        return all.toByteArray();
    }
}
