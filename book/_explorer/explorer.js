/* The one name that the scripts of the page "Play" share. Each adds its part to it.

   They are classic scripts, in the order of book/_ext/explorer_data.py: a page opened from a file
   may load neither modules nor data. */
"use strict";

const Explorer = {};
