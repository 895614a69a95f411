/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import java.util.function.DoubleUnaryOperator;

/** When it happens: the trigger begins and ends, then the run ends. In seconds since the start. */
record Episode(int trigger, int relief, int end) {
    boolean isTriggered(double now) {
        return now >= trigger && now < relief;
    }

    /**
     * Lets a client call a service at this rate until the end.
     *
     * @param rate calls a second at an instant
     */
    Trial play(World world, DoubleUnaryOperator rate, Client client, Service service) {
        Ledger ledger = new Ledger(end);
        world.poisson(end, rate, () -> {
            double madeAt = world.now();
            var unused = client.call(null, ledger.counting(world, service))
                    .thenAccept(answer -> ledger.ended(madeAt, answer));
        });
        world.run();
        return new Trial(this, ledger);
    }
}
