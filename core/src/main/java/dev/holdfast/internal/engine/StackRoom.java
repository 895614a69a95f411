/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

/**
 * Makes sure that the stack has room for the walk up, before a call takes anything. A thread whose stack is nearly full gets
 * its {@link StackOverflowError} here, where nothing has to be given back.
 *
 * <p>Java cannot ask how much is left. But when a method is entered, the virtual machine checks whether its whole frame fits;
 * for compiled code, also the frame of the interpreted code. A frame is as large as its local variables. So calling an empty
 * method with many of them is a question that costs a nanosecond.
 */
final class StackRoom {
    // Not final, so that the compiler keeps the branch, and with it the frame.
    private static boolean never;

    private static int[] unused = {};

    private StackRoom() {}

    /** Whether there is room. For code that continues a call which has taken something, and so cannot simply throw. */
    static boolean isThere() {
        try {
            ask();
            return true;
        } catch (StackOverflowError nearlyOver) {
            return false;
        }
    }

    /**
     * Too long for the compiler to inline it. Inlined, the check would run when the outer method is entered, and its error
     * would come where nobody catches it.
     */
    private static void ask() {
        ensure();
        if (never) {
            unused = new int[] {
                10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35,
                36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61,
                62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87
            };
        }
    }

    /**
     * For a task that comes where there is no room: it runs on a new thread, or this throws and has done nothing. An executor
     * would not do: if the stack ends inside its queue, the lock of the queue may stay locked. The caller must not need a
     * lambda or a class for the first time either: what fails to link here may never link again.
     */
    static void onNewThread(Runnable task) {
        Threads.daemon(task, "holdfast-stack-room").start();
    }

    /** @throws StackOverflowError if there is less than about 16 kB */
    @SuppressWarnings({"unused", "UnusedVariable"})
    static void ensure() {
        long r000, r001, r002, r003, r004, r005, r006, r007, r008, r009, r00a, r00b, r00c, r00d, r00e, r00f;
        long r010, r011, r012, r013, r014, r015, r016, r017, r018, r019, r01a, r01b, r01c, r01d, r01e, r01f;
        long r020, r021, r022, r023, r024, r025, r026, r027, r028, r029, r02a, r02b, r02c, r02d, r02e, r02f;
        long r030, r031, r032, r033, r034, r035, r036, r037, r038, r039, r03a, r03b, r03c, r03d, r03e, r03f;
        long r040, r041, r042, r043, r044, r045, r046, r047, r048, r049, r04a, r04b, r04c, r04d, r04e, r04f;
        long r050, r051, r052, r053, r054, r055, r056, r057, r058, r059, r05a, r05b, r05c, r05d, r05e, r05f;
        long r060, r061, r062, r063, r064, r065, r066, r067, r068, r069, r06a, r06b, r06c, r06d, r06e, r06f;
        long r070, r071, r072, r073, r074, r075, r076, r077, r078, r079, r07a, r07b, r07c, r07d, r07e, r07f;
        long r080, r081, r082, r083, r084, r085, r086, r087, r088, r089, r08a, r08b, r08c, r08d, r08e, r08f;
        long r090, r091, r092, r093, r094, r095, r096, r097, r098, r099, r09a, r09b, r09c, r09d, r09e, r09f;
        long r100, r101, r102, r103, r104, r105, r106, r107, r108, r109, r10a, r10b, r10c, r10d, r10e, r10f;
        long r110, r111, r112, r113, r114, r115, r116, r117, r118, r119, r11a, r11b, r11c, r11d, r11e, r11f;
        long r120, r121, r122, r123, r124, r125, r126, r127, r128, r129, r12a, r12b, r12c, r12d, r12e, r12f;
        long r130, r131, r132, r133, r134, r135, r136, r137, r138, r139, r13a, r13b, r13c, r13d, r13e, r13f;
        long r140, r141, r142, r143, r144, r145, r146, r147, r148, r149, r14a, r14b, r14c, r14d, r14e, r14f;
        long r150, r151, r152, r153, r154, r155, r156, r157, r158, r159, r15a, r15b, r15c, r15d, r15e, r15f;
        long r160, r161, r162, r163, r164, r165, r166, r167, r168, r169, r16a, r16b, r16c, r16d, r16e, r16f;
        long r170, r171, r172, r173, r174, r175, r176, r177, r178, r179, r17a, r17b, r17c, r17d, r17e, r17f;
        long r180, r181, r182, r183, r184, r185, r186, r187, r188, r189, r18a, r18b, r18c, r18d, r18e, r18f;
        long r190, r191, r192, r193, r194, r195, r196, r197, r198, r199, r19a, r19b, r19c, r19d, r19e, r19f;
        long r200, r201, r202, r203, r204, r205, r206, r207, r208, r209, r20a, r20b, r20c, r20d, r20e, r20f;
        long r210, r211, r212, r213, r214, r215, r216, r217, r218, r219, r21a, r21b, r21c, r21d, r21e, r21f;
        long r220, r221, r222, r223, r224, r225, r226, r227, r228, r229, r22a, r22b, r22c, r22d, r22e, r22f;
        long r230, r231, r232, r233, r234, r235, r236, r237, r238, r239, r23a, r23b, r23c, r23d, r23e, r23f;
        long r240, r241, r242, r243, r244, r245, r246, r247, r248, r249, r24a, r24b, r24c, r24d, r24e, r24f;
        long r250, r251, r252, r253, r254, r255, r256, r257, r258, r259, r25a, r25b, r25c, r25d, r25e, r25f;
        long r260, r261, r262, r263, r264, r265, r266, r267, r268, r269, r26a, r26b, r26c, r26d, r26e, r26f;
        long r270, r271, r272, r273, r274, r275, r276, r277, r278, r279, r27a, r27b, r27c, r27d, r27e, r27f;
        long r280, r281, r282, r283, r284, r285, r286, r287, r288, r289, r28a, r28b, r28c, r28d, r28e, r28f;
        long r290, r291, r292, r293, r294, r295, r296, r297, r298, r299, r29a, r29b, r29c, r29d, r29e, r29f;
        long r300, r301, r302, r303, r304, r305, r306, r307, r308, r309, r30a, r30b, r30c, r30d, r30e, r30f;
        long r310, r311, r312, r313, r314, r315, r316, r317, r318, r319, r31a, r31b, r31c, r31d, r31e, r31f;
        long r320, r321, r322, r323, r324, r325, r326, r327, r328, r329, r32a, r32b, r32c, r32d, r32e, r32f;
        long r330, r331, r332, r333, r334, r335, r336, r337, r338, r339, r33a, r33b, r33c, r33d, r33e, r33f;
        long r340, r341, r342, r343, r344, r345, r346, r347, r348, r349, r34a, r34b, r34c, r34d, r34e, r34f;
        long r350, r351, r352, r353, r354, r355, r356, r357, r358, r359, r35a, r35b, r35c, r35d, r35e, r35f;
        long r360, r361, r362, r363, r364, r365, r366, r367, r368, r369, r36a, r36b, r36c, r36d, r36e, r36f;
        long r370, r371, r372, r373, r374, r375, r376, r377, r378, r379, r37a, r37b, r37c, r37d, r37e, r37f;
        long r380, r381, r382, r383, r384, r385, r386, r387, r388, r389, r38a, r38b, r38c, r38d, r38e, r38f;
        long r390, r391, r392, r393, r394, r395, r396, r397, r398, r399, r39a, r39b, r39c, r39d, r39e, r39f;
        long r400, r401, r402, r403, r404, r405, r406, r407, r408, r409, r40a, r40b, r40c, r40d, r40e, r40f;
        long r410, r411, r412, r413, r414, r415, r416, r417, r418, r419, r41a, r41b, r41c, r41d, r41e, r41f;
        long r420, r421, r422, r423, r424, r425, r426, r427, r428, r429, r42a, r42b, r42c, r42d, r42e, r42f;
        long r430, r431, r432, r433, r434, r435, r436, r437, r438, r439, r43a, r43b, r43c, r43d, r43e, r43f;
        long r440, r441, r442, r443, r444, r445, r446, r447, r448, r449, r44a, r44b, r44c, r44d, r44e, r44f;
        long r450, r451, r452, r453, r454, r455, r456, r457, r458, r459, r45a, r45b, r45c, r45d, r45e, r45f;
        long r460, r461, r462, r463, r464, r465, r466, r467, r468, r469, r46a, r46b, r46c, r46d, r46e, r46f;
        long r470, r471, r472, r473, r474, r475, r476, r477, r478, r479, r47a, r47b, r47c, r47d, r47e, r47f;
        long r480, r481, r482, r483, r484, r485, r486, r487, r488, r489, r48a, r48b, r48c, r48d, r48e, r48f;
        long r490, r491, r492, r493, r494, r495, r496, r497, r498, r499, r49a, r49b, r49c, r49d, r49e, r49f;
        long r500, r501, r502, r503, r504, r505, r506, r507, r508, r509, r50a, r50b, r50c, r50d, r50e, r50f;
        long r510, r511, r512, r513, r514, r515, r516, r517, r518, r519, r51a, r51b, r51c, r51d, r51e, r51f;
        long r520, r521, r522, r523, r524, r525, r526, r527, r528, r529, r52a, r52b, r52c, r52d, r52e, r52f;
        long r530, r531, r532, r533, r534, r535, r536, r537, r538, r539, r53a, r53b, r53c, r53d, r53e, r53f;
        long r540, r541, r542, r543, r544, r545, r546, r547, r548, r549, r54a, r54b, r54c, r54d, r54e, r54f;
        long r550, r551, r552, r553, r554, r555, r556, r557, r558, r559, r55a, r55b, r55c, r55d, r55e, r55f;
        long r560, r561, r562, r563, r564, r565, r566, r567, r568, r569, r56a, r56b, r56c, r56d, r56e, r56f;
        long r570, r571, r572, r573, r574, r575, r576, r577, r578, r579, r57a, r57b, r57c, r57d, r57e, r57f;
        long r580, r581, r582, r583, r584, r585, r586, r587, r588, r589, r58a, r58b, r58c, r58d, r58e, r58f;
        long r590, r591, r592, r593, r594, r595, r596, r597, r598, r599, r59a, r59b, r59c, r59d, r59e, r59f;
        long r600, r601, r602, r603, r604, r605, r606, r607, r608, r609, r60a, r60b, r60c, r60d, r60e, r60f;
        long r610, r611, r612, r613, r614, r615, r616, r617, r618, r619, r61a, r61b, r61c, r61d, r61e, r61f;
        long r620, r621, r622, r623, r624, r625, r626, r627, r628, r629, r62a, r62b, r62c, r62d, r62e, r62f;
        long r630, r631, r632, r633, r634, r635, r636, r637, r638, r639, r63a, r63b, r63c, r63d, r63e, r63f;
        if (never) {
            throw new IllegalStateException("the frame is kept for this");
        }
    }
}
