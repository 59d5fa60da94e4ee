"""Where music comes from. Importing this room loads no source; `app` names them."""
