// SPDX-License-Identifier: Apache-2.0
// A target must have a source; this one is there for its precompiled headers (weft.cmake).
