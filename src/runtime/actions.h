/* SPDX-License-Identifier: Apache-2.0 */
/* What events ask for: one function a kind. */
#ifndef BT_RUNTIME_ACTIONS_H
#define BT_RUNTIME_ACTIONS_H

#include "runtime/internal.h"

typedef void (*action_fn)(struct run *r, const struct image_action *a, const void *payload);

/* By enum image_action_kind. */
extern const action_fn actions[IMAGE_NACTIONS];

#endif
