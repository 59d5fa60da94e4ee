"""Where music comes from. Importing this room loads no source; `compose` names them."""
